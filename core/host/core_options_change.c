/* SPDX-License-Identifier: MPL-2.0 */

/* Changes the server's own options while it runs. */

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/cgroup.h"
#include "base/instance.h"
#include "config/config.h"
#include "config/options.h"
#include "host/host_state.h"
#include "host/core_options_change.h"
#include "http/http.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/module.h"
#include "net/capacity.h"
#include "net/kernel_memory.h"
#include "net/name_lookup.h"
#include "peers/listeners_change.h"
#include "peers/peers.h"
#include "tls/identity.h"
#include "tls/tls.h"
#include "workers/workers.h"

static struct settings *self(void)
{
	return &instance->host->settings;
}

/* Leaves nothing staged; frees nothing. */
static void forget(void)
{
	struct settings *settings = self();

	*settings = (struct settings){.in_use = settings->in_use};
}

int64_t core_options_descriptors(const struct core_conf *conf, unsigned workers)
{
	int64_t addresses = (int64_t)conf->listener_count;

	/* Two for the event loop (epoll, eventfd).  For each address, the
	 * listening socket and a spare one, see listener.h. */
	return workers * (2 + 2 * addresses);
}

void core_options_init(struct identity *identity)
{
	self()->in_use = identity;
}

const struct identity *core_options_identity(void)
{
	return self()->in_use;
}

/* Network buffers. */

static int stage_buffers(void)
{
	struct settings *settings = self();
	size_t size = (size_t)settings->conf->network_buffer;

	if (settings->conf->network_buffer == settings->before->network_buffer)
		return 0;
	for (unsigned i = 0; i < workers_count(); i++) {
		settings->buffers[i] = malloc(size);
		if (!settings->buffers[i]) {
			log_core(RELAY_ERROR,
				"no memory for network buffers of %zu bytes",
				size);
			return -1;
		}
	}
	return 0;
}

/* Addresses. */

static bool same_listener(
	const struct core_listener *a, const struct core_listener *b)
{
	return strcmp(a->name, b->name) == 0 &&
	       strcmp(a->address, b->address) == 0 &&
	       a->proxied == b->proxied &&
	       option_list_same(a->proxy_from, b->proxy_from) &&
	       a->guarded == b->guarded &&
	       strcmp(a->protocol, b->protocol) == 0 &&
	       a->max_connections == b->max_connections;
}

static bool listens_otherwise(
	const struct core_conf *before, const struct core_conf *after)
{
	if (after->protocol != before->protocol ||
		after->listener_count != before->listener_count)
		return true;
	for (size_t i = 0; i < after->listener_count; i++)
		if (!same_listener(&after->listeners[i], &before->listeners[i]))
			return true;
	return false;
}

/* Host names are only resolved again if the options have changed. */
static size_t list_changed(const struct core_conf *before,
	const struct core_conf *after, struct name_query *queries)
{
	size_t count = 0;

	for (size_t i = 0;
		listens_otherwise(before, after) && i < after->listener_count;
		i++)
		queries[count++] = (struct name_query){
			after->listeners[i].name[0] ? "address" : "listen",
			after->listeners[i].address, after->protocol};
	if (strcmp(before->status_srv, after->status_srv) != 0)
		queries[count++] = (struct name_query){
			"status-srv", after->status_srv, CORE_TCP};
	if (strcmp(before->private_srv, after->private_srv) != 0)
		queries[count++] = (struct name_query){
			"private-srv", after->private_srv, CORE_TCP};
	return count;
}

struct name_lookup *core_options_look_up(const struct core_conf *before,
	const struct core_conf *after, void (*over)(void *arg), void *arg)
{
	struct name_query *queries =
		calloc(after->listener_count + 2, sizeof(*queries));
	struct relay_err err = {.text = "out of memory"};
	struct name_lookup *names = NULL;

	if (queries)
		names = name_lookup_start(queries,
			list_changed(before, after, queries), loop_current,
			over, arg, &err);
	free(queries);
	if (!names)
		log_core(RELAY_ERROR, "%s", err.text);
	return names;
}

static int stage_addresses(const struct name_lookup *names)
{
	struct settings *settings = self();
	const struct core_conf *conf = settings->conf;
	struct relay_err err;

	if (http_stage(conf->status_srv, conf->private_srv, names, &err) != 0)
		goto error;
	if (listens_otherwise(settings->before, conf) &&
		listeners_stage(conf, names, &err) != 0)
		goto error;
	return 0;
error:
	log_core(RELAY_ERROR, "%s", err.text);
	return -1;
}

/* The parts of a transition, in their order. */

int core_options_stage(const struct core_conf *before,
	const struct core_conf *after, const struct name_lookup *names)
{
	struct settings *settings = self();

	forget();
	settings->conf = after;
	settings->before = before;
	if (stage_buffers() != 0 || stage_addresses(names) != 0) {
		core_options_abandon();
		return -1;
	}
	return 0;
}

int core_options_open(void)
{
	struct relay_err err;

	if (listeners_open(&err) == 0)
		return 0;
	log_core(RELAY_ERROR, "%s", err.text);
	return -1;
}

void core_options_abandon(void)
{
	struct settings *settings = self();

	listeners_abandon();
	http_abandon();
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		free(settings->buffers[i]);
	forget();
}

void core_options_take(void)
{
	struct settings *settings = self();
	struct cgroup_limits limits;

	cgroup_limits("", &limits);
	kernel_memory_bound(settings->conf->session_memory, &limits.memory);
	capacity_bound(settings->conf->max_connections,
		core_options_descriptors(settings->conf, workers_count()),
		&limits.memory);
}

void core_options_take_here(struct worker *worker)
{
	struct settings *settings = self();
	unsigned char **buffer = &settings->buffers[worker->loop.index];
	const struct peers_conf conf = {
		.workers = workers_count(),
		.network_buffer = (size_t)settings->conf->network_buffer,
		.pipe_size = (size_t)settings->conf->pipe_size,
		.socket_buffer = (int)settings->conf->socket_buffer,
		.answer_timeout_ms = settings->conf->answer_timeout_ms,
	};

	peers_change(worker, &conf, *buffer);
	*buffer = NULL;
	listeners_take(worker);
}

void core_options_settle(void)
{
	listeners_commit();
	http_take();
	forget();
}
