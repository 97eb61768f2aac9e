/* SPDX-License-Identifier: MPL-2.0 */

/* line.h - one direction of a link: from one tun device to another. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "wire.h"

struct line {
	const char *name; /* borrowed: of the device whose packets it carries */
	int from, to;     /* descriptors, borrowed */
	struct wire wire;
	struct histogram lateness; /* of arrivals */
	double late_ns;            /* its sum */
	uint64_t unwritten;        /* arrivals that the device refused */
};

/* Reads packets that wait, up to a bound; whether more may wait. */
bool line_read(struct line *line);

/* Writes the packets that have arrived. */
void line_write(struct line *line);

/* Writes what happened since the last report, as a JSON object. */
void line_report(struct line *line);

/* The clock of all lines. */
int64_t line_now_ns(void);

#endif
