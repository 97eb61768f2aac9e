/* SPDX-License-Identifier: MPL-2.0 */

/* siege.h - the settings of one run. */
#ifndef SIEGE_H
#define SIEGE_H

#include "bench.h"
#include "pattern.h"

/* Attackers' addresses, different from those of good clients. */
#define SIEGE_FIRST_SOURCE UINT32_C(0x7f400001) /* 127.64.0.1 */

struct siege {
	struct bench bench;
	struct settings settings;
	struct sockaddr_in http; /* the status address */
	const uint8_t *target;   /* ID of a device of good clients, or NULL */
	uint8_t target_id[32];
	int64_t seconds_ms; /* duration of an attack, or of measuring good
			       clients */
	int64_t open;       /* connections at a time; 0: as in the table */
	int64_t per_s;      /* starts per second; 0: as in the table */
	const char *path;   /* path that good clients scrape, or NULL */
	struct sources attackers;
	struct in_addr own; /* in the local network, of a gateway */
	bool stopped;       /* by a signal */
};

#endif
