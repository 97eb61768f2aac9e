/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Prints an answer of the control socket: a line of JSON with tables that
 * describe themselves, see modules/control/README.md.
 */
#ifndef CTL_ANSWER_H
#define CTL_ANSWER_H

#include <stdbool.h>

/* Exit codes, besides those of the answer (strelaysrv/command.h). */
#define CTL_NO_SERVER 3 /* it does not run, or did not answer */
#define CTL_REFUSED   4 /* the caller may not give commands */

#define CTL_COLUMNS 64 /* of a table; others are not shown */

/* What was printed before; zeroed at first. */
struct ctl_shown {
	char title[64]; /* of the last table, which the next one may continue */
	int columns, width[CTL_COLUMNS];
};

/*
 * Prints tables and messages on stdout, messages of a failure on stderr; with
 * `json` the line as it is.  A screen replaces the one before, if stdout is a
 * terminal; else it is the last.  Returns the exit code, or -1 if another line
 * follows.
 */
int ctl_answer_print(struct ctl_shown *shown, const char *line, bool json);

#endif
