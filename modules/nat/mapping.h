/* SPDX-License-Identifier: MPL-2.0 */

/*
 * mapping.h - a port of a gateway that leads to ours, whatever the protocol.
 */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>

#include <strelaysrv/err.h>

/* What is wanted. */
struct mapping_wish {
	uint16_t inner; /* the port that we listen on */
	uint16_t outer; /* the one to ask for */
	int64_t lease_ms;
};

/* What there is. */
struct mapping {
	struct in_addr address;
	uint16_t outer;
};

enum mapping_result {
	MAPPING_DONE,
	MAPPING_TAKEN,  /* somebody else has that port */
	MAPPING_LOST,   /* the gateway knows nothing of it any more */
	MAPPING_FAILED, /* no answer, or one that does not help */
};

#endif
