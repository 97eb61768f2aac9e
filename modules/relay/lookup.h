/* SPDX-License-Identifier: MPL-2.0 */

/*
 * lookup.h - looks a host name up while the caller goes on.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <netdb.h>

struct lookup;

/* Begins; NULL without memory, or without a thread to do it. */
struct lookup *lookup_begin(const char *host);
/* As lookup_result(), but waits for it, `seconds` at most. */
int lookup_wait(
	struct lookup *lookup, unsigned seconds, const struct addrinfo **list);
/*
 * EAI_INPROGRESS: ask again later.  0: *list is what was found, borrowed until
 * lookup_end().  Else what getaddrinfo() said.
 */
int lookup_result(struct lookup *lookup, const struct addrinfo **list);
/* Accepts NULL.  Never waits: a look-up under way ends by itself. */
void lookup_end(struct lookup *lookup);

#endif
