/* SPDX-License-Identifier: MPL-2.0 */

/*
 * source.h - where a stranger comes from, as far as it costs him something.
 *
 * An IPv4 address is one source.  IPv6 addresses are counted by /64, /56 and
 * /48, since a home may have 256 of the first and a site 65,536.  What has no
 * levels is no source: exempt, because all come from there behind a proxy.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdint.h>
#include <sys/socket.h>

#include "id_hash.h"

#define SOURCE_LEVELS 3

struct source {
	unsigned levels; /* 0: exempt; else the last one is the widest */
	uint8_t key[SOURCE_LEVELS][ID_LEN];
};

void source_read(const struct sockaddr_storage *from, struct source *out);

#endif
