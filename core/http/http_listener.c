/* SPDX-License-Identifier: MPL-2.0 */

/* One HTTP address: opened, moved to another, tried again after a failure. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "http/http_listener.h"
#include "log/log.h"
#include "loop/event_later.h"
#include "loop/loop.h"
#include "net/name_lookup.h"

#define RETRY_S 30
/* How often it checks whether a name server hangs. */
#define LOOK_US 100000

static void drop_lookup(struct http_listener *server)
{
	if (!server->lookup)
		return;
	(void)event_del(server->retry);
	name_lookup_free(server->lookup);
	server->lookup = NULL;
}

void http_listener_close(struct http_listener *server)
{
	drop_lookup(server);
	if (!server->open)
		return;
	http_accept_close(&server->accept);
	http_conns_finish(&server->conns);
	server->open = false;
}

/* An errno, or 0 with place, and the socket in *fd. */
static int bind_shared(struct listen_place *place, bool shares, int *fd)
{
	int error = shares ? 0 : listen_socket_probe(place);

	if (error)
		return error;
	*fd = listen_socket_bind(place);
	return *fd < 0 ? errno : 0;
}

/* A socket of that place that the process inherited, or -1. */
static int inherit(
	const struct http_listener *server, struct listen_place *place)
{
	struct listen_place v4 = *place;
	int fd = inherited_take(server->use, &place->addr, place->v6only);

	if (fd < 0 && listen_place_fall_back(
			      &v4, server->address, CORE_TCP, EAFNOSUPPORT))
		fd = inherited_take(server->use, &v4.addr, v4.v6only);
	if (fd < 0)
		return -1;
	place->len = sizeof(place->addr);
	if (getsockname(fd, (struct sockaddr *)&place->addr, &place->len) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* A socket that does not listen yet, or -1.  `address` is the place as it was
 * configured. */
static int bind_place(const char *address, struct listen_place *place,
	bool shares, struct relay_err *err)
{
	int error, fd = -1;

	error = bind_shared(place, shares, &fd);
	/* On a kernel without IPv6, IPv4 alone will do. */
	if (error && listen_place_fall_back(place, address, CORE_TCP, error))
		error = bind_shared(place, shares, &fd);
	if (!error)
		return fd;
	return relay_fail(
		err, "%s%s", strerror(error), listen_socket_advice(error));
}

/* Sets server->place if it succeeds.  A socket, or -1 with err. */
static int inherit_or_bind(struct http_listener *server,
	const struct name_lookup *names, struct relay_err *err)
{
	struct listen_place place;
	int fd;

	if (name_lookup_place(names, server->address, CORE_TCP, &place, err) !=
		0)
		return -1;
	fd = inherit(server, &place);
	if (fd < 0)
		fd = bind_place(server->address, &place, false, err);
	if (fd >= 0)
		server->place = place;
	return fd;
}

void http_listener_reserve(struct http_listener *server)
{
	struct relay_err err;

	if (!server->address || !server->address[0] || server->reserved >= 0)
		return;
	/* The reason is logged when it is to be opened. */
	server->reserved = inherit_or_bind(server, NULL, &err);
}

static int take_reserved(struct http_listener *server)
{
	int fd = server->reserved;

	server->reserved = -1;
	return fd;
}

static void drop_reserved(struct http_listener *server)
{
	int fd = take_reserved(server);

	if (fd >= 0)
		(void)close(fd);
}

/* The configured host, with the port that was really bound. */
static void note_address(struct http_listener *server)
{
	struct address parts;

	if (address_split(server->address, &parts, NULL) == 0)
		address_join(parts.host, address_port(&server->place.addr),
			server->text, sizeof(server->text));
}

/* Takes fd over, which is bound.  0 or -1. */
static int serve_on(struct http_listener *server, int fd, struct relay_err *err)
{
	if (!server->open) {
		if (http_conns_init(&server->conns, server->base) != 0) {
			(void)close(fd);
			return relay_fail(err, "no memory");
		}
		server->open = true;
	}
	if (http_accept_open(&server->accept, server->base, fd, err) != 0) {
		http_listener_close(server);
		return -1;
	}
	note_address(server);
	return 0;
}

static void tell_open(struct http_listener *server)
{
	log_core(server->failing ? RELAY_NOTICE : RELAY_INFO, "%s: %s",
		server->what, server->text);
	server->failing = false;
}

static void tell_failure(struct http_listener *server, const char *why)
{
	const struct timeval later = {.tv_sec = RETRY_S};

	log_core(server->failing ? RELAY_DEBUG : RELAY_WARNING,
		"cannot open the %s %s: %s; the relay goes on without it and "
		"tries again every %d s",
		server->what, server->address, why, RETRY_S);
	server->failing = true;
	event_later(server->retry, &later);
}

static void open_with(
	struct http_listener *server, const struct name_lookup *names)
{
	struct relay_err err;
	int fd;

	if (!server->address[0] || server->open)
		return;
	fd = take_reserved(server);
	if (fd < 0)
		fd = inherit_or_bind(server, names, &err);
	if (fd >= 0 && serve_on(server, fd, &err) == 0)
		tell_open(server);
	else
		tell_failure(server, err.text);
}

void http_listener_open(struct http_listener *server)
{
	open_with(server, NULL);
}

/* The name was looked up. */
static void on_lookup(void *arg)
{
	struct http_listener *server = arg;
	struct name_lookup *lookup = server->lookup;

	server->lookup = NULL;
	(void)event_del(server->retry);
	open_with(server, lookup);
	name_lookup_free(lookup);
}

static void look_soon(struct http_listener *server)
{
	const struct timeval soon = {.tv_usec = LOOK_US};

	event_later(server->retry, &soon);
}

void http_listener_open_later(struct http_listener *server)
{
	const struct name_query query = {
		server->option, server->address, CORE_TCP};
	struct relay_err err;

	if (!server->address[0] || server->open || server->lookup)
		return;
	if (server->reserved >= 0 || !address_has_name(server->address)) {
		open_with(server, NULL);
		return;
	}
	server->lookup = name_lookup_start(
		&query, 1, loop_current, on_lookup, server, &err);
	if (server->lookup)
		look_soon(server);
	else
		tell_failure(server, err.text);
}

int http_listener_socket(const struct http_listener *server)
{
	return server->open ? server->accept.fd : -1;
}

void http_listener_pause(struct http_listener *server)
{
	http_accept_pause(&server->accept);
}

void http_listener_resume(struct http_listener *server)
{
	http_accept_resume(&server->accept);
}

static void retry(evutil_socket_t fd, short what, void *arg)
{
	struct http_listener *server = arg;

	(void)fd;
	(void)what;
	if (server->lookup) {
		look_soon(server);
		name_lookup_again(server->lookup);
		return;
	}
	/* The owner decides whether it is still needed. */
	server->again(server);
}

/* Moving to another address. */

/* Closes the socket; a lent one stays open for its new owner.  Connections last
 * for one more request. */
static void leave_socket(struct http_listener *server)
{
	if (server->lent)
		http_accept_close(&server->accept);
	else
		http_accept_retire(&server->accept);
	http_conns_retire(&server->conns);
}

static bool is_at(
	const struct http_listener *server, const struct listen_place *place)
{
	return server->open && listen_place_same(&server->place, place);
}

static bool overlaps(
	const struct http_listener *server, const struct listen_place *place)
{
	return server->open && listen_place_overlaps(&server->place, place);
}

/* The address is the other server's: both use its socket until it moves. */
static int borrow(struct http_listener *other, struct relay_err *err)
{
	int fd = fcntl(other->accept.fd, F_DUPFD_CLOEXEC, 0);

	other->lent = true;
	return fd < 0 ? relay_fail(err, "%s", strerror(errno)) : fd;
}

static int stage_socket(struct http_listener *server,
	struct http_listener *other, const char *address,
	const struct name_lookup *names, struct relay_err *err)
{
	struct http_stage *stage = &server->stage;

	if (name_lookup_place(names, address, CORE_TCP, &stage->place, err) !=
		0)
		return -1;
	if (is_at(server, &stage->place)) {
		stage->keeps = true;
		return 0;
	}
	if (is_at(other, &stage->place))
		stage->fd = borrow(other, err);
	else
		stage->fd = bind_place(address, &stage->place,
			overlaps(server, &stage->place) ||
				overlaps(other, &stage->place),
			err);
	return stage->fd < 0 ? -1 : 0;
}

int http_listener_stage(struct http_listener *server,
	struct http_listener *other, const char *address,
	const struct name_lookup *names, struct relay_err *err)
{
	struct relay_err why;

	server->stage = (struct http_stage){.fd = -1};
	if (strcmp(server->address, address) == 0)
		return 0;
	relay_fail(&why, "no memory");
	server->stage.address = strdup(address);
	if (server->stage.address &&
		(!address[0] ||
			stage_socket(server, other, address, names, &why) == 0))
		return 0;
	http_listener_abandon(server);
	return relay_fail(err, "cannot open the %s %s: %.180s", server->what,
		address, why.text);
}

void http_listener_abandon(struct http_listener *server)
{
	server->lent = false;
	free(server->stage.address);
	if (server->stage.fd >= 0)
		(void)close(server->stage.fd);
	server->stage = (struct http_stage){.fd = -1};
}

static void take_socket(struct http_listener *server, int fd)
{
	struct relay_err err;

	if (server->open)
		leave_socket(server);
	if (serve_on(server, fd, &err) == 0)
		tell_open(server);
	else
		tell_failure(server, err.text);
}

void http_listener_take(struct http_listener *server, bool needed)
{
	struct http_stage stage = server->stage;

	server->lent &= stage.address != NULL;
	if (!stage.address)
		return;
	server->stage = (struct http_stage){.fd = -1};
	free(server->address);
	server->address = stage.address;
	server->failing = false;
	drop_reserved(server);
	drop_lookup(server);
	(void)event_del(server->retry);
	(void)snprintf(
		server->text, sizeof(server->text), "%s", server->address);
	if (stage.fd < 0 && !stage.keeps) {
		http_listener_close(server);
		return;
	}
	server->place = stage.keeps ? server->place : stage.place;
	if (stage.keeps)
		note_address(server);
	else if (needed)
		take_socket(server, stage.fd);
	else
		(void)close(stage.fd);
	server->lent = false;
}

int http_listener_init(struct http_listener *server, struct event_base *base,
	const char *address)
{
	server->base = base;
	server->reserved = -1;
	server->address = strdup(address);
	server->retry = evtimer_new(base, retry, server);
	server->stage = (struct http_stage){.fd = -1};
	server->accept = (struct http_accept){.conns = &server->conns,
		.what = server->what,
		.limit = server->limit,
		.arg = server,
		.fd = -1,
		.spare = -1};
	server->conns.place = server->place_label;
	server->conns.owner.answer = server->answer;
	server->conns.owner.arg = server;
	if (!server->address || !server->retry) {
		http_listener_finish(server);
		return -1;
	}
	(void)snprintf(server->text, sizeof(server->text), "%s", address);
	return 0;
}

void http_listener_finish(struct http_listener *server)
{
	http_listener_close(server);
	/* NULL: it was not initialized, or was finished before. */
	if (server->address)
		drop_reserved(server);
	http_listener_abandon(server);
	if (server->retry)
		event_free(server->retry);
	free(server->address);
	server->retry = NULL;
	server->address = NULL;
	server->failing = false;
	server->text[0] = '\0';
}
