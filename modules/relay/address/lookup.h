/* SPDX-License-Identifier: MPL-2.0 */

/* lookup.h - resolves a host name in the background. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <netdb.h>

struct lookup;

/* Starts; NULL if there is no memory or no thread. */
struct lookup *lookup_begin(const char *host);
/* As lookup_result(), but waits for at most `seconds`. */
int lookup_wait(
	struct lookup *lookup, unsigned seconds, const struct addrinfo **list);
/*
 * EAI_INPROGRESS: not finished.  0: *list is the result, borrowed until
 * lookup_end().  Else the error of getaddrinfo().
 */
int lookup_result(struct lookup *lookup, const struct addrinfo **list);
/* NULL is allowed.  Never waits: a running lookup ends by itself. */
void lookup_end(struct lookup *lookup);

#endif
