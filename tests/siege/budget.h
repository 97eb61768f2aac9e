/* SPDX-License-Identifier: MPL-2.0 */

/*
 * budget.h - what a stranger can make the server hold or compute.
 *
 * The one table: modules/README.md has what budget_print() makes of it, and
 * test_budget.py looks whether all that it names is there.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Names in a list are separated by spaces. */
struct budget_row {
	const char *place; /* the port, and who it is about */
	const char *what;
	const char *connection, *source, *all; /* at most; "-": no bound */

	/* What enforces it: options, as section.name or alone, and constants in
	 * the source, in capital letters. */
	const char *by;

	/* metric{label=value}, counted when it is reached; a gauge where
	 * nothing is refused. */
	const char *counter;
	bool bounds;         /* holds only with the module bounds */
	const char *tests;   /* functions of tests/integration */
	const char *attacks; /* of relay-siege; "" if another test plays it */
};

const struct budget_row *budget_all(size_t *count);

/* As a table of Markdown. */
void budget_print(FILE *out);

#endif
