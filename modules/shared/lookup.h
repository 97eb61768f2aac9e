/* SPDX-License-Identifier: MPL-2.0 */

/* lookup.h - resolves a host name in a thread of its own. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <netdb.h>

struct lookup;

/* Starts getaddrinfo(3) with `host`, `service` (a port, or NULL) and the type
 * of socket.  NULL if there is no memory or no thread, or if a word has more
 * than 255 bytes. */
struct lookup *lookup_begin(const char *host, const char *service, int type);
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
