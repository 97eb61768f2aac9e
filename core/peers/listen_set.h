/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What can be done with a set of addresses that are listened on.
 */
#ifndef LISTEN_SET_H
#define LISTEN_SET_H

#include <stdbool.h>

#include "peers/listen_set_state.h"

struct listen_place;
struct listener;
struct listener_facts;
struct worker;

/* [C]  Logs "WHAT ADDRESS" for addresses with these `wanted` and `open`. */
void listen_set_log(
	const struct listen_set *set, bool wanted, bool open, const char *what);
/* Own thread.  As listen_address_each(), for all addresses. */
int listen_set_each(const struct listen_set *set, const struct worker *worker,
	int (*fn)(struct listener *));
/*
 * [C]  The i-th address that others are told, of the staged options if there
 * are any: first those that everybody may use, then the private ones; those of
 * proxies only if there are no others, and those with a protocol only if there
 * are not even these.  NULL: i is past the end.
 */
const struct listen_address *listen_set_told(
	const struct listen_set *set, unsigned i);
/* [C] */
bool listen_set_any_private(const struct listen_set *set);
/* [C]  For one user: what a connection to `to` keeps of its listener; NULL:
 * nobody listens there. */
struct listener_facts *listen_set_facts(
	const struct listen_set *set, const struct listen_place *to);
/* [C]  Frees its addresses, and leaves an empty set. */
void listen_set_free(struct listen_set *set);

#endif
