/* SPDX-License-Identifier: MPL-2.0 */

/* echo.h - round trips through one session that was there before the siege. */
#ifndef ECHO_H
#define ECHO_H

#include "kind.h"
#include "siege.h"

struct echo;

/* Sends 64 bytes to and fro every so often, until *over.  A session that ends
 * is a failure, and the last.  Borrows all, the sockets too.  NULL: no memory.
 */
struct echo *echo_create(struct siege *siege, int client, int server,
	int64_t every_ms, const bool *over, struct kind *kind);

/* NULL is fine. */
void echo_destroy(struct echo *echo);

#endif
