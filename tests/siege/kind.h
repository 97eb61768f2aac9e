/* SPDX-License-Identifier: MPL-2.0 */

/* kind.h - the results of one kind of action of good clients. */
#ifndef KIND_H
#define KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "histogram.h"
#include "tally.h"

struct kind {
	size_t under_way;
	struct histogram times; /* of successful ones */
	struct tally failed;
};

/*
 * Ends an action that began at begin_ns; why: FAILURE_NONE for success.  The
 * caller has counted its start in under_way.
 */
void kind_ended(struct kind *kind, int64_t begin_ns, enum failure why);

/* Writes NAME_done, its latencies and its failures into the report. */
void kind_report(const char *name, const struct kind *kind);

#endif
