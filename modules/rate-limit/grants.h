/* SPDX-License-Identifier: MPL-2.0 */

/* grants.h - devices to which another module gives a rate or a weight while
 * they are here.  The caller guards them. */
#ifndef GRANTS_H
#define GRANTS_H

#include <stdint.h>

#include "shared/id_hash.h"

struct grant {
	UT_hash_handle hh;
	int64_t rate;     /* bytes per second; 0: none */
	int64_t weight;   /* 0: none */
	unsigned holders; /* calls of grants_hold() without grants_let_go() */
	uint8_t id[ID_LEN];
};

struct grants {
	struct grant *all; /* uthash, by ID */
};

/* The newest values count.  0, or -1 if memory is short. */
int grants_hold(
	struct grants *grants, const uint8_t *id, int64_t rate, int64_t weight);
/* Of a device that is not known it does nothing. */
void grants_let_go(struct grants *grants, const uint8_t *id);
/* NULL: the device has none. */
const struct grant *grants_find(const struct grants *grants, const uint8_t *id);
void grants_free(struct grants *grants);

#endif
