/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reports of problems with the configuration.
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdbool.h>

#include <strelaysrv/log.h>

#include "config/schema.h"

/* Where problems are reported, and whether any was an error. */
struct config_report {
	config_report_fn *fn;
	void *arg;
	bool failed;
};

/* Longer texts than 1023 bytes are cut. */
void config_report(struct config_report *report, enum relay_level level,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
