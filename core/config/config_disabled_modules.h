/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Options of modules that do not run.  They have no effect, and the operator
 * must learn of it.
 */
#ifndef CONFIG_DISABLED_MODULES_H
#define CONFIG_DISABLED_MODULES_H

#include <stddef.h>

struct config_report;
struct config_section;
struct flags;

/*
 * Reports each module that is not in `modules` but has flags or options that
 * would have an effect: one warning for its flags and one for its options, or
 * one error if any of them protects the relay (RELAY_OPTION_GUARD,
 * RELAY_OPTION_FILLED).  sections[0] is the server's own; `flags` may be NULL.
 */
void config_report_disabled(const struct config_section *sections, size_t count,
	const struct flags *flags, struct config_report *to);

#endif
