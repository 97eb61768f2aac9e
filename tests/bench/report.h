/* SPDX-License-Identifier: MPL-2.0 */

/* report.h - the one JSON object that every subcommand prints. */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "histogram.h"
#include "meter.h"
#include "tally.h"

/* Call begin and end once; in between, add fields with constant names. */
void report_begin(const char *command);
void report_count(const char *name, uint64_t value);
void report_number(const char *name, double value);

/* Median, 99th percentile and maximum, as NAME_p50_us and so on. */
void report_latency(const char *name, const struct histogram *histogram);

/* Seconds, CPU and memory between two readings. */
void report_meters(const struct meter *begin, const struct meter *end);

/* Failures by kind: "NAME_by": {...}. */
void report_tally(const char *name, const struct tally *tally);

/* The failures, and the closing brace. */
void report_end(const struct tally *tally);

#endif
