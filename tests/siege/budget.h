/* SPDX-License-Identifier: MPL-2.0 */

/*
 * budget.h - the limits of what a stranger can make the server store or
 * compute.
 *
 * The only table: modules/README.md contains the output of budget_print(), and
 * test_budget.py checks that all names in it exist.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Names in a list are separated by spaces. */
struct budget_row {
	const char *place; /* the port, and the kind of peer */
	const char *what;
	const char *connection, *source, *all; /* the limits; "-": none */

	/*
	 * What enforces the limit: options, as section.name or name, and
	 * constants in the source, in capital letters.
	 */
	const char *by;

	/*
	 * metric{label=value}, incremented when the limit is reached; a gauge
	 * if nothing is refused.
	 */
	const char *counter;
	bool bounds;         /* only enforced with the module bounds */
	const char *tests;   /* functions of tests/integration */
	const char *attacks; /* of relay-siege; "" if another test covers it */
};

const struct budget_row *budget_all(size_t *count);

/* Prints a Markdown table. */
void budget_print(FILE *out);

#endif
