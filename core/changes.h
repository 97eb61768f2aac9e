/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a reload changes, for the log.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct relay_option;

/* Whether a section belongs to a module that runs before or after. */
typedef bool changes_filter_fn(const char *section);

/*
 * Logs each option whose value differs, old and new, and which of them need a
 * restart.  `begun` is the configuration that the process began with: what only
 * a restart changes is compared to that.  Returns how many differ.
 */
size_t changes_log(const struct config *begun, const struct config *before,
	const struct config *after, changes_filter_fn *wanted);

#endif
