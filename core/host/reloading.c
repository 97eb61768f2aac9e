/* SPDX-License-Identifier: MPL-2.0 */

/* The steps of a reload. */

#include <event2/event.h>

#include "base/instance.h"
#include "config/config.h"
#include "config/flags.h"
#include "host/host.h"
#include "host/host_state.h"
#include "host/key_check.h"
#include "host/config_loader.h"
#include "host/reloading.h"
#include "host/core_options_change.h"
#include "host/transition.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/catalog.h"
#include "modules/option_files_read.h"
#include "net/name_lookup.h"
#include "workers/workers_answer.h"

/* How often it checks whether a thread hangs. */
#define LOOK_US 100000

static struct reloading *self(void)
{
	return &instance->host->reloading;
}

void reloading_init(void (*tell)(bool is_on))
{
	self()->tell = tell;
}

bool reloading_is_on(void)
{
	return self()->is_on;
}

bool reloading_succeeded(void)
{
	return self()->succeeded;
}

void reloading_stop(void)
{
	struct reloading *reloading = self();

	if (reloading->timer)
		event_free(reloading->timer);
	reloading->timer = NULL;
	workers_ask_free(reloading->ask);
	reloading->ask = NULL;
	config_loader_free(reloading->loader);
	reloading->loader = NULL;
	key_check_free(reloading->keys);
	reloading->keys = NULL;
	name_lookup_free(reloading->names);
	reloading->names = NULL;
	readings_free(reloading->readings);
	reloading->readings = NULL;
	config_free(reloading->config);
	reloading->config = NULL;
	reloading->is_on = false;
}

static void end(bool succeeded)
{
	if (!succeeded)
		log_core(RELAY_ERROR,
			"not reloaded: everything stays as it was");
	self()->succeeded = succeeded;
	reloading_stop();
	if (self()->tell)
		self()->tell(false);
}

static void go_on(bool answer, void *arg)
{
	struct reloading *reloading = self();

	(void)arg;
	reloading->ask = NULL;
	if (answer) {
		reloading->next();
		return;
	}
	transition_tell_hanging();
	end(false);
}

static bool is_all_read(const struct reloading *reloading)
{
	/* The lookup of names begins last. */
	return reloading->names && name_lookup_is_over(reloading->names) &&
	       key_check_is_over(reloading->keys) &&
	       readings_are_over(reloading->readings);
}

/* A transition cannot be cancelled once it has begun: so the workers are asked
 * before.  `next` is called if all of them answer. */
static void ask_workers(void (*next)(void))
{
	struct reloading *reloading = self();

	reloading->next = next;
	reloading->ask = workers_ask(go_on, NULL);
	if (reloading->ask)
		return;
	log_core(RELAY_ERROR, "out of memory");
	end(false);
}

static void change(void)
{
	struct reloading *reloading = self();
	bool succeeded = host_change(reloading->config, reloading->readings,
				 reloading->names) == 0;

	if (succeeded)
		reloading->config = NULL; /* the host's now */
	end(succeeded);
}

/* Makes the transition, once everything that it needs has been read. */
static void was_read(void *arg)
{
	struct reloading *reloading = self();

	(void)arg;
	if (!is_all_read(reloading) || reloading->ask)
		return;
	key_check_log(reloading->keys);
	/* Reading may have taken long: ask again. */
	ask_workers(change);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (self()->ask)
		return;
	if (!self()->readings)
		config_loader_poll(self()->loader);
	else if (!readings_are_over(self()->readings))
		readings_look(self()->readings);
	else if (!name_lookup_is_over(self()->names))
		name_lookup_again(self()->names);
	else
		key_check_poll(self()->keys);
}

static int start_timer(void)
{
	const struct timeval each = {.tv_usec = LOOK_US};

	self()->timer =
		event_new(loop_current->base, -1, EV_PERSIST, on_timer, NULL);
	if (self()->timer && event_add(self()->timer, &each) == 0)
		return 0;
	log_core(RELAY_ERROR, "no memory for a timer");
	return -1;
}

static void read_files(struct config *config, void *arg)
{
	struct reloading *reloading = self();

	(void)arg;
	reloading->config = config;
	if (config) {
		catalog_report(instance->host->host.catalog);
		reloading->readings = host_read(config, was_read, NULL);
	}
	if (reloading->readings)
		reloading->keys = key_check_start(config_core(config)->keys,
			core_options_identity(), instance->host->host.control,
			was_read, NULL);
	if (reloading->keys)
		reloading->names = core_options_look_up(
			host_core(), config_core(config), was_read, NULL);
	if (!reloading->names)
		end(false);
}

static void load(void)
{
	struct reloading *reloading = self();
	const struct host *host = &instance->host->host;

	reloading->loader = config_loader_start(
		host->catalog, host->flags, host->control, read_files, NULL);
	if (!reloading->loader)
		end(false);
}

void reloading_begin(void)
{
	struct reloading *reloading = self();
	const char *conf = instance->host->host.flags->conf;

	reloading->is_on = true;
	if (reloading->tell)
		reloading->tell(true);
	log_core(RELAY_NOTICE, "reloading%s%s",
		conf ? " " : "; there is no -conf file", conf ? conf : "");
	if (start_timer() == 0)
		ask_workers(load);
	else
		end(false);
}
