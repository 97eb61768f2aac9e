/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a connection keeps of the listener that accepted it.  It stays valid
 * when a reload closes the listener.
 */
#ifndef LISTENER_FACTS_H
#define LISTENER_FACTS_H

#include <stdatomic.h>
#include <sys/socket.h>

struct proxy_trust;

struct listener_facts {
	struct sockaddr_storage bound; /* constant, as the next */
	struct proxy_trust *trust;     /* owned; NULL: no header is needed */
	atomic_uint users;             /* who call listener_facts_leave() */
};

/* [C]  For one user.  Takes over `trust`.  NULL without memory. */
struct listener_facts *listener_facts_make(
	const struct sockaddr_storage *bound, struct proxy_trust *trust);
/* [*]  One user more.  NULL is allowed, and returned. */
struct listener_facts *listener_facts_share(struct listener_facts *facts);
/* [*]  The last user frees it.  NULL is allowed. */
void listener_facts_leave(struct listener_facts *facts);

#endif
