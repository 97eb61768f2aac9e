/* SPDX-License-Identifier: MPL-2.0 */

/* privileges.h - devices with a higher weight, or without a limit. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/err.h>

#define WEIGHT_MOST   1000
#define WEIGHT_EXEMPT 0 /* the `weight` of a device without a limit */

struct privilege {
	uint8_t id[RELAY_DEVICE_ID_LEN];
	int64_t weight;
};

/* Sorted by ID. */
struct privileges {
	struct privilege *list; /* owned */
	size_t count;
};

/*
 * Reads a list of "ID=WEIGHT" and a list of IDs without a limit; both end with
 * NULL.  0, or -1 with err naming the entry.
 */
int privileges_read(struct privileges *out, const char *const *weights,
	const char *const *exempt, struct relay_err *err);
void privileges_free(struct privileges *privileges);

/* The weight of a device; 1 if it is not listed. */
int64_t privileges_weight(
	const struct privileges *privileges, const uint8_t *id);

#endif
