/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Problems in configuration files, collected so that all can be reported at
 * once, in the order of files and lines.
 */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/config_source.h"

#define CONFIG_PROBLEMS_MAX 100U /* more are not reported */

struct config_problem {
	const struct config_source *source; /* borrowed; NULL sorts first */
	unsigned line;                      /* 0: the file as a whole */
	size_t serial; /* orders the problems of one line */
	enum relay_level level;
	bool lasting; /* kept when the file is parsed again */
	char *text;   /* owned */
};

struct config_problems {
	struct config_problem *items;
	size_t count;
	size_t serial;
	bool no_memory;
};

void config_problems_add(struct config_problems *problems,
	const struct config_problem *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Drops the problems that the next pass will find again. */
void config_problems_rewind(struct config_problems *problems);
/* Reports all problems and frees them.  Returns how many were errors. */
size_t config_problems_tell(
	struct config_problems *problems, config_report_fn *report, void *arg);

#endif
