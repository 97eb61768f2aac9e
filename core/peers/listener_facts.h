/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a connection keeps of the listener that accepted it.  It stays valid
 * when a reload changes or closes the listener.
 */
#ifndef LISTENER_FACTS_H
#define LISTENER_FACTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "config/schema.h"

struct proxy_trust;

enum listener_event {
	LISTENER_ACCEPTED,  /* by this process */
	LISTENER_FULL,      /* refused: a limit on connections */
	LISTENER_DENIED,    /* refused: by a module */
	LISTENER_UNPROXIED, /* refused: no header of a trusted proxy */
	LISTENER_EVENTS
};

/*
 * What is counted of an address, also while a reload gives it another name or
 * other options.  Changed and read on all threads.
 */
struct listener_tally {
	_Atomic int64_t limit; /* on settled connections; 0: none */
	_Atomic int64_t settled;
	_Atomic int64_t now; /* connections, settled or not */
	_Atomic int64_t count[LISTENER_EVENTS];
	atomic_uint users; /* facts that point to it */
};

struct listener_facts {
	/* All constant. */
	struct sockaddr_storage bound; /* IPv4 as IPv4 */
	struct proxy_trust *trust;     /* owned; NULL: no header is needed */
	char name[CORE_LISTENER_NAME_MAX + 1];     /* "": it has none */
	bool guarded;                              /* its option `private` */
	char protocol[CORE_PROTOCOL_NAME_MAX + 1]; /* "": any */
	struct listener_tally *tally;              /* shared */
	atomic_uint users; /* who call listener_facts_leave() */
};

/*
 * [C]  For one user.  Takes over `trust`, and shares `tally`; NULL: a new one.
 * `conf`: name and options; NULL: none.  NULL without memory.
 */
struct listener_facts *listener_facts_make(const struct sockaddr_storage *bound,
	struct proxy_trust *trust, const struct core_listener *conf,
	struct listener_tally *tally);
/* [*]  One user more.  NULL is allowed, and returned. */
struct listener_facts *listener_facts_share(struct listener_facts *facts);
/* [*]  The last user frees it.  NULL is allowed. */
void listener_facts_leave(struct listener_facts *facts);

/* [*]  These count; facts NULL: nothing. */
void listener_count(
	const struct listener_facts *facts, enum listener_event event);
void listener_now(struct listener_facts *facts, int64_t by);
void listener_settled(struct listener_facts *facts, int64_t by);

#endif
