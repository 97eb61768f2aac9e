/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Looks up the host names in addresses to listen on, beside the control thread:
 * a name server may be silent, and the C library waits for it.  All is [C].
 */
#ifndef NAME_LOOKUP_H
#define NAME_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#include "net/listen_socket.h"

struct loop;
struct name_lookup;

struct name_query {
	const char *option; /* in which the address is; a string literal */
	const char *text;   /* the address; borrowed until the lookup starts */
	int64_t protocol;   /* enum core_protocol */
};

/*
 * Starts a lookup of those addresses that contain a name.  `over` is called on
 * the loop, not before this returns, when it has ended; it is not called if
 * there is no name.  NULL with err.
 */
struct name_lookup *name_lookup_start(const struct name_query *queries,
	size_t count, struct loop *loop, void (*over)(void *arg), void *arg,
	struct relay_err *err);
bool name_lookup_is_over(const struct name_lookup *lookup);
/* Gives it up if a name server does not answer; may call `over`.  To be called
 * several times a second. */
void name_lookup_again(struct name_lookup *lookup);
/* Cancels it if it is not over.  Accepts NULL. */
void name_lookup_free(struct name_lookup *lookup);

/*
 * As listen_place_resolve(), with what the lookup has found; the error says
 * which option has a name that was not found.  A lookup of NULL: waits for the
 * name server, which only the start may do.
 */
int name_lookup_place(const struct name_lookup *lookup, const char *text,
	int64_t protocol, struct listen_place *out, struct relay_err *err);

#endif
