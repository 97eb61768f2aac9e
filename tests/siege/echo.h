/* SPDX-License-Identifier: MPL-2.0 */

/* echo.h - round trips through a session that existed before the attack. */
#ifndef ECHO_H
#define ECHO_H

#include "kind.h"
#include "siege.h"

struct echo;

/*
 * Sends 64 bytes in both directions at a constant rate, until *over.  If the
 * session ends, this counts as a failure and stops.  Borrows all arguments,
 * including the sockets.  NULL: no memory.
 */
struct echo *echo_create(struct siege *siege, int client, int server,
	int64_t every_ms, const bool *over, struct kind *kind);

/* NULL is allowed. */
void echo_destroy(struct echo *echo);

#endif
