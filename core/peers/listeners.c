/* SPDX-License-Identifier: MPL-2.0 */

/* The set of addresses that are listened on, and the one that is staged. */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <strelaysrv/server.h>

#include "base/address.h"
#include "config/config.h"
#include "log/log.h"
#include "net/listen_socket.h"
#include "peers/listener.h"
#include "peers/listeners.h"
#include "workers/workers.h"

/* An address, for as long as it is listened on. */
struct listened {
	struct listen_place asked; /* as configured, with a port of 0 */
	struct listen_place bound;
	struct listener *at; /* owned array: one of each worker, or more */
	unsigned count;
	unsigned workers; /* the i-th socket is that of worker i % workers */
	bool open;        /* somebody may wait in its queues */
	bool wanted;      /* the staged set has it */
};

struct listen_set {
	struct listened **all; /* owned array; what it has, see `wanted` */
	unsigned count;
	char text[300]; /* the first, as written, with its real port */
};

static struct listen_set now, next;
static struct listen_set rest; /* inherited, and not configured */
static bool staged;

int relay_listen_address(unsigned i, struct sockaddr_storage *out)
{
	const struct listen_set *set = staged ? &next : &now;

	if (i >= set->count)
		return -1;
	*out = set->all[i]->bound.addr;
	return 0;
}

const char *relay_listen_text(void)
{
	return staged ? next.text : now.text;
}

static void spell(const struct listened *one, char *out, size_t cap)
{
	char host[NI_MAXHOST];

	if (getnameinfo((const struct sockaddr *)&one->bound.addr,
		    one->bound.len, host, sizeof(host), NULL, 0,
		    NI_NUMERICHOST) != 0)
		host[0] = '\0';
	address_join(host, address_port(&one->bound.addr), out, cap);
}

static void log_set(
	const struct listen_set *set, bool wanted, bool open, const char *what)
{
	char text[ADDRESS_HOST_MAX + ADDRESS_PORT_MAX];

	for (unsigned i = 0; i < set->count; i++) {
		if (set->all[i]->wanted != wanted || set->all[i]->open != open)
			continue;
		spell(set->all[i], text, sizeof(text));
		log_core(RELAY_NOTICE, "%s %s", what, text);
	}
}

/* One address. */

static void listened_free(struct listened *one)
{
	if (!one)
		return;
	for (unsigned i = 0; one->at && i < one->count; i++)
		listener_close(&one->at[i]);
	free(one->at);
	free(one);
}

static struct listened *listened_make(
	const struct listen_place *asked, unsigned count)
{
	struct listened *one = calloc(1, sizeof(*one));

	if (!one)
		return NULL;
	one->asked = *asked;
	one->bound = *asked;
	one->count = count;
	one->workers = workers_count();
	one->at = calloc(count ? count : 1, sizeof(*one->at));
	if (!one->at) {
		free(one);
		return NULL;
	}
	for (unsigned i = 0; i < count; i++)
		listener_init(&one->at[i], workers_get(i % one->workers));
	return one;
}

/* One more, of the worker whose turn it is.  0 or -1. */
static int listened_add(struct listened *one, int fd)
{
	struct listener *at =
		reallocarray(one->at, one->count + 1, sizeof(*at));

	if (!at)
		return -1;
	one->at = at;
	listener_init(&at[one->count], workers_get(one->count % one->workers));
	at[one->count++].fd = fd;
	return 0;
}

/*
 * Calls fn for the worker's own sockets of one address, until it returns other
 * than 0.  Those of others are theirs to look at.
 */
static int each_own(struct listened *one, const struct worker *worker,
	int (*fn)(struct listener *))
{
	for (unsigned k = (unsigned)worker->loop.index; k < one->count;
		k += one->workers)
		if (fn(&one->at[k]) != 0)
			return -1;
	return 0;
}

static int each_here(const struct listen_set *set, const struct worker *worker,
	int (*fn)(struct listener *))
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->all[i] && each_own(set->all[i], worker, fn) != 0)
			return -1;
	return 0;
}

/*
 * SO_REUSEPORT would let a second server of the same user share the port and
 * take half of the connections: one socket without it finds that out, unless
 * what it finds are sockets of ours that are to go.
 */
static int bind_for_all(struct listened *one, bool shares)
{
	int error = shares ? 0 : listen_socket_probe(&one->bound);

	for (unsigned i = 0; i < workers_count() && !error; i++) {
		/* Port 0: the first one's is everybody's. */
		one->at[i].fd = listen_socket_bind(&one->bound);
		if (one->at[i].fd < 0)
			error = errno;
	}
	for (unsigned i = 0; error && i < one->count; i++)
		listener_close(&one->at[i]);
	return error;
}

/*
 * What the process was started with, all of it: who waits in a socket's queue
 * is lost with the socket.  If there are fewer than workers and no more can be
 * bound (rights are given up, or the first does not share), workers share.
 */
static int fill_up(struct listened *one, unsigned found)
{
	socklen_t len = sizeof(one->bound.addr);

	one->bound.len = len;
	if (getsockname(one->at[0].fd, (struct sockaddr *)&one->bound.addr,
		    &one->bound.len) != 0)
		return -1;
	for (unsigned i = found; i < one->count; i++) {
		one->at[i].fd = listen_socket_bind(&one->bound);
		if (one->at[i].fd < 0)
			one->at[i].fd = fcntl(
				one->at[i % found].fd, F_DUPFD_CLOEXEC, 0);
		if (one->at[i].fd < 0)
			return -1;
	}
	return 0;
}

static int next_inherited(struct listen_place *place)
{
	return inherited_take(INHERITED_RELAY, &place->addr, place->v6only);
}

/* 1: it has its sockets.  0: there are none.  -1 with errno. */
static int inherit(struct listened *one)
{
	struct listen_place *place = &one->bound;
	unsigned found = 0;
	int fd = next_inherited(place);

	for (; fd >= 0; fd = next_inherited(place), found++) {
		/* A port of 0 is that of the first, from here on. */
		if (found == 0 &&
			getsockname(fd, (struct sockaddr *)&place->addr,
				&place->len) != 0)
			goto error;
		if (found < one->count)
			one->at[found].fd = fd;
		else if (listened_add(one, fd) != 0)
			goto error;
	}
	if (found == 0)
		return 0;
	return fill_up(one, found) == 0 ? 1 : -1;
error:
	close(fd);
	return -1;
}

static int inherit_or_bind(struct listened *one, bool shares)
{
	int got = inherit(one);

	if (got < 0)
		return errno ? errno : ENOMEM;
	return got ? 0 : bind_for_all(one, shares);
}

static int bind_one(struct listened *one, const char *text, int64_t protocol,
	bool shares, struct relay_err *err)
{
	int error = inherit_or_bind(one, shares);

	/* A host without IPv6 is no reason not to serve IPv4. */
	if (error &&
		listen_place_fall_back(&one->bound, text, protocol, error)) {
		log_core(RELAY_WARNING, "no IPv6 here: %s serves IPv4 only",
			text);
		error = inherit_or_bind(one, shares);
	}
	if (!error)
		return 0;
	return relay_fail(err, "cannot listen on %s: %s%s", text,
		strerror(error), listen_socket_advice(error));
}

/* Staging. */

static struct listened *find_free(const struct listen_place *place,
	bool (*fits)(const struct listened *, const struct listen_place *))
{
	for (unsigned i = 0; i < now.count; i++)
		if (!now.all[i]->wanted && fits(now.all[i], place))
			return now.all[i];
	return NULL;
}

static bool was_asked(
	const struct listened *one, const struct listen_place *place)
{
	return listen_place_same(&one->asked, place);
}

/* Also one whose port was 0, and is now named. */
static bool is_bound(
	const struct listened *one, const struct listen_place *place)
{
	return listen_place_same(&one->bound, place);
}

static bool is_leaving(const struct listen_place *place)
{
	for (unsigned i = 0; i < now.count; i++)
		if (!now.all[i]->wanted &&
			listen_place_overlaps(&now.all[i]->bound, place))
			return true;
	return false;
}

static int refuse_overlap(const struct listen_place *place,
	const char *const *texts, unsigned at, struct relay_err *err)
{
	for (unsigned i = 0; texts[i]; i++)
		if (i != at && next.all[i] &&
			listen_place_overlaps(&next.all[i]->bound, place))
			return relay_fail(err,
				"cannot listen on both %s and %s: they have an "
				"address in common",
				texts[i < at ? i : at], texts[i < at ? at : i]);
	return 0;
}

static void keep(const struct listen_place *places,
	bool (*fits)(const struct listened *, const struct listen_place *))
{
	for (unsigned i = 0; i < next.count; i++) {
		if (next.all[i])
			continue;
		next.all[i] = find_free(&places[i], fits);
		if (next.all[i])
			next.all[i]->wanted = true;
	}
}

static int stage_new(const struct listen_place *place, const char *const *texts,
	unsigned at, int64_t protocol, struct relay_err *err)
{
	struct listened *one;

	if (refuse_overlap(place, texts, at, err) != 0)
		return -1;
	one = listened_make(place, workers_count());
	if (!one)
		return relay_fail(err, "out of memory");
	if (bind_one(one, texts[at], protocol, is_leaving(place), err) != 0) {
		listened_free(one);
		return -1;
	}
	one->wanted = true;
	next.all[at] = one;
	return 0;
}

static int stage_all(struct listen_place *places, const char *const *texts,
	int64_t protocol, struct relay_err *err)
{
	for (unsigned i = 0; i < next.count; i++)
		if (listen_place_resolve(texts[i], protocol, &places[i], err) !=
			0)
			return -1;
	/* Who names a port means that one; any will do for a port of 0. */
	keep(places, is_bound);
	keep(places, was_asked);
	for (unsigned i = 0; i < next.count; i++)
		if (!next.all[i] &&
			stage_new(&places[i], texts, i, protocol, err) != 0)
			return -1;
	return 0;
}

static void note_text(const char *text)
{
	const char *colon = strrchr(text, ':');

	snprintf(next.text, sizeof(next.text), "%.*s:%u",
		(int)(colon ? colon - text : 0), text,
		address_port(&next.all[0]->bound.addr));
}

int listeners_stage(
	const char *const *texts, int64_t protocol, struct relay_err *err)
{
	struct listen_place *places;
	int result = -1;

	while (texts[next.count])
		next.count++;
	if (next.count == 0)
		return relay_fail(err, "there is no address to listen on");
	places = calloc(next.count, sizeof(*places));
	next.all = calloc(next.count, sizeof(struct listened *));
	relay_fail(err, "out of memory");
	if (places && next.all)
		result = stage_all(places, texts, protocol, err);
	free(places);
	if (result != 0) {
		listeners_abandon();
		return -1;
	}
	note_text(texts[0]);
	staged = true;
	return 0;
}

/* The rest of what was inherited. */

static int adopt_one(int fd)
{
	struct listen_place place = {.len = sizeof(place.addr)};
	struct listened **all =
		reallocarray(rest.all, rest.count + 1, sizeof(*all));

	if (!all)
		return -1;
	rest.all = all;
	if (getsockname(fd, (struct sockaddr *)&place.addr, &place.len) != 0)
		return -1;
	all[rest.count] = listened_make(&place, 0);
	if (!all[rest.count])
		return -1;
	rest.count++;
	return listened_add(all[rest.count - 1], fd);
}

static void adopt_rest(void)
{
	int fd = inherited_take_any(INHERITED_RELAY);

	for (; fd >= 0; fd = inherited_take_any(INHERITED_RELAY))
		if (adopt_one(fd) != 0)
			close(fd);
}

static int leave_one(struct listener *listener)
{
	listener_drain(listener);
	listener_close(listener);
	return 0;
}

static int leave_rest_here(struct worker *worker, void *arg)
{
	(void)arg;
	return each_here(&rest, worker, leave_one);
}

static void free_rest(void)
{
	for (unsigned i = 0; i < rest.count; i++)
		listened_free(rest.all[i]);
	free(rest.all);
	memset(&rest, 0, sizeof(rest));
}

void listeners_leave_rest(void)
{
	if (rest.count == 0)
		return;
	(void)workers_call(leave_rest_here, NULL);
	log_set(&rest, false, false, "no longer listening on");
	free_rest();
}

/* Workers. */

static int start_one(struct listener *listener)
{
	/* One that is open already has its events. */
	return listener->event ? 0 : listener_start(listener);
}

static int start_here(struct worker *worker, void *arg)
{
	(void)arg;
	return each_here(&next, worker, start_one) |
	       each_here(&rest, worker, start_one);
}

static int listen_all(struct relay_err *err)
{
	char text[ADDRESS_HOST_MAX + ADDRESS_PORT_MAX];

	for (unsigned i = 0; i < next.count; i++) {
		struct listened *one = next.all[i];

		for (unsigned w = 0; w < one->count && !one->open; w++) {
			if (listen(one->at[w].fd, LISTENER_BACKLOG) == 0)
				continue;
			spell(one, text, sizeof(text));
			return relay_fail(err, "cannot listen on %s: %s", text,
				strerror(errno));
		}
	}
	return 0;
}

int listeners_open(struct relay_err *err)
{
	adopt_rest();
	if (listen_all(err) != 0)
		return -1;
	if (workers_call(start_here, NULL) != 0)
		return relay_fail(err, "a worker cannot accept connections");
	return 0;
}

void listeners_leave(struct worker *worker)
{
	for (unsigned i = 0; staged && i < now.count; i++)
		if (!now.all[i]->wanted)
			(void)each_own(now.all[i], worker, leave_one);
}

static int close_one(struct listener *listener)
{
	listener_close(listener);
	return 0;
}

static int forget_here(struct worker *worker, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < next.count; i++)
		if (next.all[i] && !next.all[i]->open)
			(void)each_own(next.all[i], worker, close_one);
	return 0;
}

/* The set. */

void listeners_take(void)
{
	if (!staged)
		return;
	log_set(&now, false, true, "no longer listening on");
	log_set(&next, true, false, "listening on");
	for (unsigned i = 0; i < now.count; i++)
		if (!now.all[i]->wanted)
			listened_free(now.all[i]);
	free(now.all);
	now = next;
	memset(&next, 0, sizeof(next));
	staged = false;
	for (unsigned i = 0; i < now.count; i++) {
		now.all[i]->open = true;
		now.all[i]->wanted = false;
	}
}

void listeners_abandon(void)
{
	/* Workers may have begun to look at them. */
	if (staged)
		(void)workers_call(forget_here, NULL);
	for (unsigned i = 0; next.all && i < next.count; i++)
		if (next.all[i] && !next.all[i]->open)
			listened_free(next.all[i]);
	free(next.all);
	memset(&next, 0, sizeof(next));
	staged = false;
	for (unsigned i = 0; i < now.count; i++)
		now.all[i]->wanted = false;
}

void listeners_close(struct worker *worker)
{
	(void)each_here(&now, worker, close_one);
	(void)each_here(&next, worker, close_one);
	(void)each_here(&rest, worker, close_one);
}

static int pause_one(struct listener *listener)
{
	listener_pause(listener);
	return 0;
}

void listeners_pause(struct worker *worker)
{
	(void)each_here(&now, worker, pause_one);
	(void)each_here(&rest, worker, pause_one);
}

int listeners_resume(struct worker *worker)
{
	return each_here(&now, worker, listener_resume) |
	       each_here(&rest, worker, listener_resume);
}

int listeners_each(listeners_socket_fn *fn, void *arg)
{
	for (unsigned i = 0; i < now.count; i++)
		for (unsigned k = 0; k < now.all[i]->count; k++)
			if (now.all[i]->at[k].fd >= 0 &&
				fn(INHERITED_RELAY, now.all[i]->at[k].fd, arg))
				return -1;
	return 0;
}

void listeners_finish(void)
{
	listeners_abandon();
	for (unsigned i = 0; i < now.count; i++)
		listened_free(now.all[i]);
	free(now.all);
	memset(&now, 0, sizeof(now));
	free_rest();
}
