/* SPDX-License-Identifier: MPL-2.0 */

/* The steps of an upgrade until the new process runs. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/server.h>

#include "base/instance.h"
#include "base/time_span.h"
#include "config/config.h"
#include "host/core_options_change.h"
#include "host/host.h"
#include "host/key_check.h"
#include "life/drain.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/new_process.h"
#include "life/takeover.h"
#include "life/upgrade_prepare.h"
#include "life/upgrade_tell.h"
#include "log/log.h"
#include "loop/event_later.h"
#include "loop/loop.h"
#include "workers/hang_watch.h"
#include "workers/workers_answer.h"

/* How long modules may take to write their files. */
#define WRITE_MS 4000
/* The time between two looks grows from the first to the second. */
#define LOOK_FIRST_MS 1
#define LOOK_MOST_MS  64

static struct upgrade_preparation *self(void)
{
	return &instance->life->upgrade.preparation;
}

void upgrade_prepare_stop(void)
{
	struct upgrade_preparation *now = self();

	workers_ask_free(now->ask);
	key_check_free(now->keys);
	new_process_launch_free(now->launch);
	if (now->timer)
		event_free(now->timer);
	*now = (struct upgrade_preparation){.ask = NULL};
}

static void end(bool started)
{
	void (*over)(bool) = self()->over;

	upgrade_prepare_stop();
	over(started);
}

static void fail(const struct relay_err *err)
{
	log_core(RELAY_ERROR,
		"upgrade failed: %s; this process goes on as before",
		err->text);
	end(false);
}

const char *upgrade_objection(void)
{
	const struct upgrade_state *upgrade = &instance->life->upgrade;

	if (relay_draining() == RELAY_DRAIN_LEAVE)
		return "the server drains: it was told to end";
	if (upgrade->pid && upgrade->stage == STAGE_NONE)
		return "the new process of the last upgrade, which failed, has "
		       "not ended yet";
	switch (upgrade->stage) {
	case STAGE_NONE:
		break;
	case STAGE_PREPARING:
	case STAGE_STARTING:
	case STAGE_SWITCHING:
		return "one is under way";
	case STAGE_PROBATION:
	case STAGE_OVER:
		return "another process has taken over: ask that one";
	}
	/* A container ends when its process 1 ends. */
	if (getpid() == 1)
		return "this is process 1, and the container ends with it: "
		       "restart the container";
	return NULL;
}

/* Looks again and again whether the current step is over. */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct upgrade_preparation *now = self();
	struct timeval wait;

	(void)fd;
	(void)what;
	(void)arg;
	now->waited_ms += now->next_ms;
	if (now->next_ms < LOOK_MOST_MS)
		now->next_ms *= 2;
	wait = time_span_val(now->next_ms);
	event_later(now->timer, &wait);
	now->look();
}

static int look_from_now(void (*look)(void))
{
	struct upgrade_preparation *now = self();
	const struct timeval first = time_span_val(LOOK_FIRST_MS);

	if (!now->timer)
		now->timer = evtimer_new(loop_current->base, on_timer, NULL);
	now->look = look;
	now->next_ms = LOOK_FIRST_MS;
	now->waited_ms = 0;
	return now->timer && evtimer_add(now->timer, &first) == 0 ? 0 : -1;
}

/* The last step: the new process. */

static void look_at_launch(void)
{
	struct upgrade_state *upgrade = &instance->life->upgrade;
	struct relay_err err;
	int got = new_process_launched(self()->launch, &upgrade->pid, &err);

	if (got > 0)
		end(true);
	if (got < 0)
		fail(&err);
}

static int launch(struct relay_err *err)
{
	struct upgrade_state *upgrade = &instance->life->upgrade;
	int ends[2];

	if (handover_pair(ends) != 0)
		return relay_fail(
			err, "cannot make a socket pair: %s", strerror(errno));
	upgrade->channel = ends[0];
	self()->launch =
		new_process_launch(ends[1], upgrade->argv, loop_current, err);
	return self()->launch ? 0 : -1;
}

static void begin_launch(void)
{
	struct relay_err err = {.text = "out of memory"};

	if (launch(&err) != 0 || look_from_now(look_at_launch) != 0)
		fail(&err);
}

/* The step before: the files that the new process will read. */

static void look_at_files(void)
{
	const char *module = host_writes();

	if (module && self()->waited_ms < WRITE_MS)
		return;
	if (module)
		log_core(RELAY_WARNING,
			"upgrade: the file of module %s does not answer; the "
			"new process may read what was written before",
			module);
	begin_launch();
}

static void begin_files(void)
{
	const struct relay_err err = {.text = "out of memory"};

	takeover_keep();
	(void)host_drain(RELAY_DRAIN_NONE);
	upgrade_tell_begin();
	if (!host_writes())
		begin_launch();
	else if (look_from_now(look_at_files) != 0)
		fail(&err);
}

/* The step before: the keys.  The new program may be an older one, which would
 * make a new pair. */

static void look_at_keys(void)
{
	char own[RELAY_DEVICE_ID_TEXT];
	struct relay_err err;
	const uint8_t *id;

	key_check_poll(self()->keys);
	if (!key_check_is_over(self()->keys))
		return;
	relay_device_id_format(relay_server_id(), own);
	if (key_check_found(self()->keys, &id, &err) != 0 ||
		takeover_compare_ids(id, own, host_core()->keys, &err) != 0)
		fail(&err);
	else
		begin_files();
}

static void key_check_over(void *arg)
{
	(void)arg; /* the timer looks */
}

static void begin_keys(void)
{
	const struct relay_err err = {.text = "out of memory"};

	self()->keys = key_check_start(host_core()->keys,
		core_options_identity(), loop_current, key_check_over, NULL);
	if (!self()->keys || look_from_now(look_at_keys) != 0)
		fail(&err);
}

/* The first step: the workers.  When the new process is ready, this one waits
 * for them. */

static void on_answer(bool answer, void *arg)
{
	char hanging[200];

	(void)arg;
	self()->ask = NULL;
	if (answer) {
		begin_keys();
		return;
	}
	hang_watch_describe_worker(hanging, sizeof(hanging));
	log_core(RELAY_WARNING, "no upgrade: %s", hanging);
	end(false);
}

void upgrade_prepare(void (*over)(bool started))
{
	const struct relay_err err = {.text = "out of memory"};

	*self() = (struct upgrade_preparation){.over = over};
	self()->ask = workers_ask(on_answer, NULL);
	if (!self()->ask)
		fail(&err);
}
