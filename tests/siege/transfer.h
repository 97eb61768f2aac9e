/* SPDX-License-Identifier: MPL-2.0 */

/* transfer.h - some bytes each way through a session, every one checked. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "kind.h"
#include "siege.h"

/* Sends `bytes` each way, compares what arrives, closes both sockets, counts
 * the end in kind.  Takes the sockets in any case. */
void transfer_start(struct siege *siege, int client, int server, size_t bytes,
	struct kind *kind);

#endif
