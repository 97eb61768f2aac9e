/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Throughput over the last hour, as mean rates over steps of two seconds.
 *
 * Pure: time and the total are passed in.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_STEP_MS 2000
#define HISTORY_STEPS   1800 /* an hour */

struct history {
	int64_t rate[HISTORY_STEPS]; /* bytes/s; step i is at i modulo */
	int64_t count;        /* steps since the start; the last is count - 1 */
	int64_t at_ms, total; /* at the end of the last */
};

/* Starts at now_ms with `total` bytes. */
void history_init(struct history *history, int64_t now_ms, int64_t total);
/* Ends a step; ignored if it is not later than the last one. */
void history_add(struct history *history, int64_t now_ms, int64_t total);

/* The first stored step after `after`; count if there is none. */
int64_t history_first(const struct history *history, int64_t after);
/* The rate of a stored step. */
int64_t history_rate(const struct history *history, int64_t step);

#endif
