/* SPDX-License-Identifier: MPL-2.0 */

/*
 * source.h - the source of a connection, for limits.
 *
 * An IPv4 address is one source.  IPv6 addresses are counted by /64, /56 and
 * /48, because a home may have 256 networks of /64 and a site 65,536.  A source
 * without levels is exempt, such as a proxy that all connections come from.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdint.h>
#include <sys/socket.h>

#include "shared/id_hash.h"

#define SOURCE_LEVELS 3
/* The limits of the networks that contain a /64, as multiples of its own, which
 * are also those of an IPv4 address. */
#define TIMES_56 2
#define TIMES_48 4

struct source {
	unsigned levels; /* 0: exempt; the last level is the widest */
	uint8_t key[SOURCE_LEVELS][ID_LEN];
};

void source_read(const struct sockaddr_storage *from, struct source *out);

#endif
