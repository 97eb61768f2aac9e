/* SPDX-License-Identifier: MPL-2.0 */

/* kind.h - how one kind of what good clients do went. */
#ifndef KIND_H
#define KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "histogram.h"
#include "tally.h"

struct kind {
	size_t under_way;
	struct histogram times; /* of those that succeeded */
	struct tally failed;
};

/* The end of one that began at begin_ns; why: FAILURE_NONE when it succeeded.
 * The caller has counted its beginning in under_way. */
void kind_ended(struct kind *kind, int64_t begin_ns, enum failure why);

/* Writes NAME_done, its latencies and its failures into the report. */
void kind_report(const char *name, const struct kind *kind);

#endif
