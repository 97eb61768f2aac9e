/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A set of addresses that are listened on.
 */
#ifndef LISTEN_SET_H
#define LISTEN_SET_H

#include "peers/listen_address.h"

struct listen_set {
	struct listen_address *
		*all; /* owned array of owned addresses; see listen_address.h */
	unsigned count;
	char text[300]; /* the first, as configured, with its real port */
};

/* [C]  Logs "WHAT ADDRESS" for addresses with these `wanted` and `open`. */
void listen_set_log(
	const struct listen_set *set, bool wanted, bool open, const char *what);
/* Own thread.  As listen_address_each(), for all addresses. */
int listen_set_each(const struct listen_set *set, const struct worker *worker,
	int (*fn)(struct listener *));
/* [C]  Frees its addresses, and leaves an empty set. */
void listen_set_free(struct listen_set *set);

#endif
