/* SPDX-License-Identifier: MPL-2.0 */

/* One address that is listened on: a socket for each worker, bound or
 * inherited. */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "log/log.h"
#include "net/inherited.h"
#include "peers/listen_address.h"
#include "peers/listener_facts.h"
#include "workers/workers.h"

void listen_address_text(
	const struct listen_address *one, char *out, size_t cap)
{
	char host[NI_MAXHOST];

	if (getnameinfo((const struct sockaddr *)&one->bound.addr,
		    one->bound.len, host, sizeof(host), NULL, 0,
		    NI_NUMERICHOST) != 0)
		host[0] = '\0';
	address_join(host, address_port(&one->bound.addr), out, cap);
}

void listen_address_free(struct listen_address *one)
{
	if (!one)
		return;
	for (unsigned i = 0; one->at && i < one->count; i++)
		listener_close(&one->at[i]);
	free(one->at);
	listener_facts_leave(one->facts);
	listener_facts_leave(one->next_facts);
	free(one);
}

struct listen_address *listen_address_make(
	const struct listen_place *asked, unsigned count)
{
	struct listen_address *one = calloc(1, sizeof(*one));

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

/* Sockets are given to the workers in turn. */
int listen_address_add(struct listen_address *one, int fd)
{
	struct listener *at =
		reallocarray(one->at, one->count + 1, sizeof(*at));

	if (!at)
		return -1;
	one->at = at;
	listener_init(&at[one->count], workers_get(one->count % one->workers));
	at[one->count].facts = one->facts;
	at[one->count++].fd = fd;
	return 0;
}

/*
 * Only for the worker's own sockets: other threads may use the rest.
 */
int listen_address_each(struct listen_address *one, const struct worker *worker,
	int (*fn)(struct listener *))
{
	for (unsigned k = (unsigned)worker->loop.index; k < one->count;
		k += one->workers)
		if (fn(&one->at[k]) != 0)
			return -1;
	return 0;
}

/* Without SO_REUSEPORT, workers share a socket. */
static int one_more(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/*
 * SO_REUSEPORT would let a second server of the same user share the port and
 * take half of the connections.  To detect such a server, this first binds a
 * socket without SO_REUSEPORT.  With `shares` the test is left out, since this
 * server's own sockets, which will close soon, are still bound to the port.
 */
static int bind_for_all(struct listen_address *one, bool shares)
{
	int error = shares ? 0 : listen_socket_probe(&one->bound);

	for (unsigned i = 0; i < workers_count() && !error; i++) {
		/* Port 0: the first bind sets the port for all. */
		one->at[i].fd = i == 0 || listen_socket_shares(one->at[0].fd)
					? listen_socket_bind(&one->bound)
					: one_more(one->at[0].fd);
		if (one->at[i].fd < 0)
			error = errno;
	}
	for (unsigned i = 0; error && i < one->count; i++)
		listener_close(&one->at[i]);
	return error;
}

/*
 * All inherited sockets are used: closing one would lose the connections in its
 * queue.  If there are fewer sockets than workers, more are bound.  If that
 * fails (rights are given up, or the first has no SO_REUSEPORT), workers share
 * sockets.
 */
static int fill_up(struct listen_address *one, unsigned found)
{
	socklen_t len = sizeof(one->bound.addr);

	one->bound.len = len;
	if (getsockname(one->at[0].fd, (struct sockaddr *)&one->bound.addr,
		    &one->bound.len) != 0)
		return -1;
	for (unsigned i = found; i < one->count; i++) {
		one->at[i].fd = listen_socket_bind(&one->bound);
		if (one->at[i].fd < 0)
			one->at[i].fd = one_more(one->at[i % found].fd);
		if (one->at[i].fd < 0)
			return -1;
	}
	return 0;
}

static int next_inherited(struct listen_place *place)
{
	return inherited_take(INHERITED_RELAY, &place->addr, place->v6only);
}

/* 1: it has inherited its sockets.  0: there are none.  -1 with errno. */
static int inherit(struct listen_address *one)
{
	struct listen_place *place = &one->bound;
	unsigned found = 0;
	int fd = next_inherited(place);

	for (; fd >= 0; fd = next_inherited(place), found++) {
		/* If the port is 0, the others must have that of the first. */
		if (found == 0 &&
			getsockname(fd, (struct sockaddr *)&place->addr,
				&place->len) != 0)
			goto error;
		if (found < one->count)
			one->at[found].fd = fd;
		else if (listen_address_add(one, fd) != 0)
			goto error;
	}
	if (found == 0)
		return 0;
	return fill_up(one, found) == 0 ? 1 : -1;
error:
	close(fd);
	return -1;
}

static int inherit_or_bind(struct listen_address *one, bool shares)
{
	int got = inherit(one);

	if (got < 0)
		return errno ? errno : ENOMEM;
	return got ? 0 : bind_for_all(one, shares);
}

int listen_address_tell(struct listen_address *one, struct proxy_trust *trust,
	const struct core_listener *conf, struct listener_tally *tally)
{
	struct listener_facts *facts = listener_facts_make(&one->bound.addr,
		trust, conf, one->facts ? one->facts->tally : tally);

	one->limit = conf ? conf->max_connections : 0;
	if (one->open) {
		one->next_facts = facts;
		return facts ? 0 : -1;
	}
	one->facts = facts;
	for (unsigned i = 0; i < one->count; i++)
		one->at[i].facts = facts;
	return facts ? 0 : -1;
}

void listen_address_switch(
	struct listen_address *one, const struct worker *worker)
{
	for (unsigned k = (unsigned)worker->loop.index;
		one->next_facts && k < one->count; k += one->workers)
		one->at[k].facts = one->next_facts;
}

void listen_address_settle(struct listen_address *one, bool taken)
{
	if (one->next_facts) {
		listener_facts_leave(taken ? one->facts : one->next_facts);
		if (taken)
			one->facts = one->next_facts;
		one->next_facts = NULL;
	}
	if (taken && one->facts)
		atomic_store_explicit(&one->facts->tally->limit, one->limit,
			memory_order_relaxed);
}

static const char *advice(const struct listen_address *one, int error)
{
	if (error == EADDRINUSE &&
		inherited_overlaps(INHERITED_RELAY, &one->bound))
		return "; an inherited socket has a part of it: its address "
		       "and BindIPv6Only= must be those of the option listen";
	return listen_socket_advice(error);
}

int listen_address_bind(struct listen_address *one, const char *text,
	int64_t protocol, bool shares, struct relay_err *err)
{
	int error = inherit_or_bind(one, shares);

	/* A host without IPv6 can still serve IPv4. */
	if (error &&
		listen_place_fall_back(&one->bound, text, protocol, error)) {
		log_core(RELAY_WARNING, "no IPv6 here: %s serves IPv4 only",
			text);
		error = inherit_or_bind(one, shares);
	}
	if (!error)
		return 0;
	return relay_fail(err, "cannot listen on %s: %s%s", text,
		strerror(error), advice(one, error));
}
