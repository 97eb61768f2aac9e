/* SPDX-License-Identifier: MPL-2.0 */

/* grants.h - devices to which another module gives a rate or a weight while
 * they are here.  The caller guards them. */
#ifndef GRANTS_H
#define GRANTS_H

#include <stdint.h>

#include "shared/id_hash.h"

/* What one holder gives. */
struct grant_part {
	struct grant_part *next;
	const char *holder; /* borrowed */
	int64_t rate, weight;
	unsigned holds; /* calls of grants_hold() without grants_let_go() */
};

struct grant {
	UT_hash_handle hh;
	int64_t rate;   /* bytes per second, the lowest; 0: none */
	int64_t weight; /* the highest; 0: none */
	struct grant_part *parts;
	uint8_t id[ID_LEN];
};

struct grants {
	struct grant *all; /* uthash, by ID */
};

/* The holder's newest values count; its name is a constant.  0, or -1 if memory
 * is short. */
int grants_hold(struct grants *grants, const char *holder, const uint8_t *id,
	int64_t rate, int64_t weight);
/* Of a device that the holder does not hold it does nothing. */
void grants_let_go(
	struct grants *grants, const char *holder, const uint8_t *id);
/* NULL: the device has none. */
const struct grant *grants_find(const struct grants *grants, const uint8_t *id);
void grants_free(struct grants *grants);

#endif
