/* SPDX-License-Identifier: MPL-2.0 */

/*
 * strelaysrv/units.h - parsing and formatting of durations, sizes and rates.
 *
 * Every parse function reads the whole text, which must have no surrounding
 * white space.  It returns 0, or -1 with err (may be NULL) saying what was
 * found and what is valid; the result is then unchanged.  Every format function
 * writes a terminated text and cannot fail.  All are pure: any thread, no
 * allocation, independent of the locale.
 */
#ifndef RELAY_UNITS_H
#define RELAY_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "strelaysrv/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Buffer sizes, the terminating NUL included. */
#define RELAY_DURATION_TEXT 32
#define RELAY_SIZE_TEXT     32
#define RELAY_RATE_TEXT     32

/*
 * Reads a duration as Go's time.ParseDuration does: an optional sign, then "0"
 * or numbers with a unit each, like 90s, 1h30m, 1.5s.  Units are ns, us, µs,
 * ms, s, m, h.  *ns is in nanoseconds, over the whole range of int64_t: callers
 * that need a minimum check that themselves.
 */
int relay_duration_parse(const char *text, int64_t *ns, struct relay_err *err);

/* Writes nanoseconds as Go's Duration.String does: 2m0s, 1h0m0s, 1.5s, 500ms,
 * 1.5µs (in UTF-8), 0s. */
void relay_duration_format(int64_t ns, char out[RELAY_DURATION_TEXT]);

/*
 * Reads an integer as Go's flag package does (strconv.ParseInt in base 0): an
 * optional sign, then decimal, 0x hexadecimal, 0b binary, 0o or 0 octal, with
 * single underscores between digits or after the prefix.  The whole range of
 * int64_t.
 */
int relay_int_parse(const char *text, int64_t *v, struct relay_err *err);

/*
 * Reads a boolean: 1 t T true True TRUE, 0 f F false False FALSE as Go's
 * strconv.ParseBool, and yes, no, on, off in any case.
 */
int relay_bool_parse(const char *text, bool *v, struct relay_err *err);

/*
 * Reads a size in bytes, 0 to INT64_MAX: an integer as relay_int_parse takes
 * it, or a decimal number with a unit, like 64KiB, 1.5M, 10 GB. k, M, G, T, kB,
 * MB, GB, TB are powers of 1000, Ki, Mi, Gi, Ti, KiB, MiB, GiB, TiB powers of
 * 1024, B is a byte; K means the same as k; all other letters are
 * case-sensitive.  Spaces are allowed before the unit.  A fraction of a byte is
 * cut off, but a value between 0 and one byte is an error.  No floating point
 * is used.
 */
int relay_size_parse(const char *text, int64_t *bytes, struct relay_err *err);

/*
 * Reads a rate in bytes per second, where 0 means unlimited: as
 * relay_size_parse, with an optional /s after a decimal number and its unit;
 * also bits, in powers of 1000: bit, kbit, Mbit, Gbit, Tbit with an optional
 * /s, or bps, kbps, Mbps, Gbps, Tbps.  A negative integer is read as 0, because
 * it means unlimited in the Go server, too.
 */
int relay_rate_parse(
	const char *text, int64_t *bytes_per_s, struct relay_err *err);

/*
 * Writes a size in powers of 1024, rounded to a tenth: 900 B, 64 KiB, 1.5 GiB.
 */
void relay_size_format(int64_t bytes, char out[RELAY_SIZE_TEXT]);

/*
 * Writes a rate in powers of 1000, rounded to a tenth: 900 B/s, 10 MB/s.  0 is
 * written as 0 B/s, also where it means unlimited.
 */
void relay_rate_format(int64_t bytes_per_s, char out[RELAY_RATE_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
