/* SPDX-License-Identifier: MPL-2.0 */

/*
 * strelaysrv/query.h - escaping for the query part of a URL.
 */
#ifndef RELAY_QUERY_H
#define RELAY_QUERY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Escapes text as Go's url.QueryEscape does: letters, digits and -_.~ stay, a
 * space becomes +, every other byte %XX in upper case.
 *
 * Writes at most cap bytes to out, including the terminating NUL, and never a
 * partial escape; out may be NULL if cap is 0.  Any thread, no allocation, no
 * errors.  Returns the length of the whole result without its NUL, as snprintf
 * does: if that is cap or more, out holds only the start.
 */
size_t relay_query_escape(const char *text, char *out, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
