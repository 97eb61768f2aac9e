/* SPDX-License-Identifier: MPL-2.0 */

/*
 * transfer.h - sends data in both directions through a session and checks every
 * byte.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "kind.h"
#include "siege.h"

/*
 * Sends `bytes` in each direction, compares the received data, closes both
 * sockets, and counts the result in kind.  Owns the sockets in all cases.
 */
void transfer_start(struct siege *siege, int client, int server, size_t bytes,
	struct kind *kind);

#endif
