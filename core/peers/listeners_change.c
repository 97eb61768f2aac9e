/* SPDX-License-Identifier: MPL-2.0 */

/* Replaces the set of addresses: at the start, and at a reload. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "config/config.h"
#include "log/log.h"
#include "net/accept_peer.h"
#include "net/inherited.h"
#include "net/listen_socket.h"
#include "net/name_lookup.h"
#include "net/proxy_trust.h"
#include "peers/listen_set.h"
#include "peers/listen_address.h"
#include "peers/listeners_change.h"
#include "peers/listeners_inherited.h"
#include "peers/listener_facts.h"
#include "peers/listener_metrics.h"
#include "peers/peers_shared.h"
#include "workers/workers.h"

static struct listen_address *find_free(const struct listen_place *place,
	bool (*fits)(
		const struct listen_address *, const struct listen_place *))
{
	struct peers_shared *room = peers_shared();

	for (unsigned i = 0; i < room->now.count; i++)
		if (!room->now.all[i]->wanted && fits(room->now.all[i], place))
			return room->now.all[i];
	return NULL;
}

static bool was_asked(
	const struct listen_address *one, const struct listen_place *place)
{
	return listen_place_same(&one->asked, place);
}

/* Also true if the port was 0 and the bound one is now configured. */
static bool is_bound(
	const struct listen_address *one, const struct listen_place *place)
{
	return listen_place_same(&one->bound, place);
}

/* Whether sockets of this server that will be closed are bound to the place. */
static bool is_leaving(const struct listen_place *place)
{
	struct peers_shared *room = peers_shared();

	/* Sockets of an old process; those that no address uses are closed
	 * later. */
	if (inherited_overlaps(INHERITED_RELAY, place))
		return true;
	for (unsigned i = 0; i < room->now.count; i++)
		if (!room->now.all[i]->wanted &&
			listen_place_overlaps(&room->now.all[i]->bound, place))
			return true;
	return false;
}

static int refuse_overlap(const struct listen_place *place,
	const struct core_listener *all, unsigned at, struct relay_err *err)
{
	struct peers_shared *room = peers_shared();
	char a[LISTEN_TEXT], b[LISTEN_TEXT];

	for (unsigned i = 0; i < room->next.count; i++)
		if (i != at && room->next.all[i] &&
			listen_place_overlaps(&room->next.all[i]->bound, place))
			return relay_fail(err,
				"cannot listen on both %s and %s: they have an "
				"address in common",
				listen_text(&all[i < at ? i : at], a),
				listen_text(&all[i < at ? at : i], b));
	return 0;
}

static void keep(const struct listen_place *places,
	bool (*fits)(
		const struct listen_address *, const struct listen_place *))
{
	struct peers_shared *room = peers_shared();

	for (unsigned i = 0; i < room->next.count; i++) {
		if (room->next.all[i])
			continue;
		room->next.all[i] = find_free(&places[i], fits);
		if (room->next.all[i])
			room->next.all[i]->wanted = true;
	}
}

static int stage_new(const struct core_conf *conf,
	const struct listen_place *place, unsigned at, struct relay_err *err)
{
	struct peers_shared *room = peers_shared();
	const struct core_listener *asked = &conf->listeners[at];
	struct listen_address *one;

	if (refuse_overlap(place, conf->listeners, at, err) != 0 ||
		(asked->name[0] &&
			inherited_check(asked->name, place, err) != 0))
		return -1;
	one = listen_address_make(place, workers_count());
	if (!one)
		return relay_fail(err, "out of memory");
	if (listen_address_bind(one, asked->address, conf->protocol,
		    is_leaving(place), err) != 0) {
		listen_address_free(one);
		return -1;
	}
	one->wanted = true;
	room->next.all[at] = one;
	return 0;
}

/* What was counted of a listener of that name whose address is no longer
 * listened on. */
static struct listener_tally *tally_of(const char *name)
{
	const struct listen_set *set = &peers_shared()->now;

	for (unsigned i = 0; name[0] && i < set->count; i++)
		if (!set->all[i]->wanted &&
			strcmp(set->all[i]->facts->name, name) == 0)
			return set->all[i]->facts->tally;
	return NULL;
}

/* The name, the options, and who is trusted to name clients. */
static int stage_facts(
	const struct core_conf *conf, unsigned at, struct relay_err *err)
{
	struct listen_address *one = peers_shared()->next.all[at];
	const struct core_listener *asked = &conf->listeners[at];
	struct proxy_trust *trust = NULL;

	if (asked->proxied) {
		trust = proxy_trust_read(asked->proxy_from, err);
		if (!trust)
			return -1;
	}
	return listen_address_tell(one, trust, asked, tally_of(asked->name)) ==
			       0
		       ? 0
		       : relay_fail(err, "out of memory");
}

static int stage_all(const struct core_conf *conf, struct listen_place *places,
	const struct name_lookup *names, struct relay_err *err)
{
	struct peers_shared *room = peers_shared();

	for (unsigned i = 0; i < room->next.count; i++)
		if (name_lookup_place(names, conf->listeners[i].address,
			    conf->protocol, &places[i], err) != 0)
			return -1;
	listen_places_pair(places, conf->listeners, room->next.count);
	/* First the places with a port: a place with port 0 can keep any other
	 * address that is left. */
	keep(places, is_bound);
	keep(places, was_asked);
	for (unsigned i = 0; i < room->next.count; i++)
		if (!room->next.all[i] &&
			stage_new(conf, &places[i], i, err) != 0)
			return -1;
	for (unsigned i = 0; i < room->next.count; i++)
		if (stage_facts(conf, i, err) != 0)
			return -1;
	return listener_metrics_stage(&room->next) == 0
		       ? 0
		       : relay_fail(err, "out of memory");
}

/* Of the first address that relay_listen_address() reports. */
static void note_text(const struct core_conf *conf)
{
	struct listen_set *next = &peers_shared()->next;
	const struct listen_address *first = listen_set_told(next, 0);
	const char *text, *colon;
	unsigned i = 0;

	while (next->all[i] != first)
		i++;
	text = conf->listeners[i].address;
	colon = strrchr(text, ':');
	snprintf(next->text, sizeof(next->text), "%.*s:%u",
		(int)(colon ? colon - text : 0), text,
		address_port(&first->bound.addr));
}

int listeners_stage(const struct core_conf *conf,
	const struct name_lookup *names, struct relay_err *err)
{
	struct peers_shared *room = peers_shared();
	struct listen_place *places;
	int result = -1, error = accept_peer_try();

	if (error)
		return relay_fail(err,
			"cannot accept connections: accept(2): %s",
			strerror(error));
	if (proxy_trust_check(conf, err))
		return -1;
	room->next.count = (unsigned)conf->listener_count;
	if (room->next.count == 0)
		return relay_fail(err, "there is no address to listen on");
	places = calloc(room->next.count, sizeof(*places));
	room->next.all =
		calloc(room->next.count, sizeof(struct listen_address *));
	relay_fail(err, "out of memory");
	if (places && room->next.all)
		result = stage_all(conf, places, names, err);
	free(places);
	if (result != 0) {
		listeners_abandon();
		return -1;
	}
	note_text(conf);
	proxy_trust_warn(conf);
	room->staged = true;
	return 0;
}

static int start_one(struct listener *listener)
{
	/* A listener that serves already has its events. */
	return listener->event ? 0 : listener_start(listener);
}

static int start_here(struct worker *worker, void *arg)
{
	struct peers_shared *room = peers_shared();

	(void)arg;
	return listen_set_each(&room->next, worker, start_one) |
	       listen_set_each(&room->rest, worker, start_one);
}

static int listen_all(struct relay_err *err)
{
	struct peers_shared *room = peers_shared();
	char text[ADDRESS_HOST_MAX + ADDRESS_PORT_MAX];

	for (unsigned i = 0; i < room->next.count; i++) {
		struct listen_address *one = room->next.all[i];

		for (unsigned w = 0; w < one->count && !one->open; w++) {
			if (listen(one->at[w].fd, LISTENER_BACKLOG) == 0)
				continue;
			listen_address_text(one, text, sizeof(text));
			return relay_fail(err, "cannot listen on %s: %s", text,
				strerror(errno));
		}
	}
	return 0;
}

int listeners_open(struct relay_err *err)
{
	listeners_adopt_inherited();
	if (listen_all(err) != 0)
		return -1;
	if (workers_call(start_here, NULL) != 0)
		return relay_fail(err, "a worker cannot accept connections");
	return 0;
}

void listeners_take(struct worker *worker)
{
	struct peers_shared *room = peers_shared();

	for (unsigned i = 0; room->staged && i < room->now.count; i++)
		if (room->now.all[i]->wanted)
			listen_address_switch(room->now.all[i], worker);
		else
			(void)listen_address_each(
				room->now.all[i], worker, listener_drain);
}

static int close_one(struct listener *listener)
{
	listener_close(listener);
	return 0;
}

static int forget_here(struct worker *worker, void *arg)
{
	struct peers_shared *room = peers_shared();

	(void)arg;
	for (unsigned i = 0; i < room->next.count; i++)
		if (room->next.all[i] && !room->next.all[i]->open)
			(void)listen_address_each(
				room->next.all[i], worker, close_one);
	return 0;
}

void listeners_commit(void)
{
	struct peers_shared *room = peers_shared();

	if (!room->staged)
		return;
	listen_set_log(&room->now, false, true, "no longer listening on");
	listen_set_log(&room->next, true, false, "listening on");
	for (unsigned i = 0; i < room->now.count; i++)
		if (!room->now.all[i]->wanted)
			listen_address_free(room->now.all[i]);
	free(room->now.all);
	room->now = room->next;
	memset(&room->next, 0, sizeof(room->next));
	room->staged = false;
	for (unsigned i = 0; i < room->now.count; i++) {
		room->now.all[i]->open = true;
		room->now.all[i]->wanted = false;
		listen_address_settle(room->now.all[i], true);
	}
	listener_metrics_take();
}

void listeners_abandon(void)
{
	struct peers_shared *room = peers_shared();

	listener_metrics_drop();
	/* Workers may watch the staged sockets already. */
	if (room->staged)
		(void)workers_call(forget_here, NULL);
	for (unsigned i = 0; room->next.all && i < room->next.count; i++)
		if (room->next.all[i] && !room->next.all[i]->open)
			listen_address_free(room->next.all[i]);
	free(room->next.all);
	memset(&room->next, 0, sizeof(room->next));
	room->staged = false;
	for (unsigned i = 0; i < room->now.count; i++) {
		room->now.all[i]->wanted = false;
		listen_address_settle(room->now.all[i], false);
	}
}
