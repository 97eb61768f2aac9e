/* SPDX-License-Identifier: MPL-2.0 */

/*
 * budget.h - the limits of what a stranger can make the server store or
 * compute.
 *
 * The only table.  It has no numbers: {NAME} is a constant in the source,
 * {section.option} an option's default, {A*B} and {A/B} are computed of both,
 * and a unit may follow: {NAME KiB} of bytes, {NAME ms} of milliseconds.
 * test_budget.py fills them in, puts the table into modules/README.md, and
 * checks that all names in it exist; test_siege.py, that each attack moves the
 * counters of its rows.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * What a stranger costs in the server's own memory, as measured and rounded up;
 * test_siege.py holds the server to it.
 */
/* A connection that has sent nothing. */
#define BUDGET_CONNECTION_BYTES 2048
/* A connection during its handshake, or shortly after it. */
#define BUDGET_HANDSHAKE_BYTES 40960

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
	const char *tests;   /* functions of tests/integration; unit-NAME */
	const char *attacks; /* of relay-siege */
};

/* Its two parts, in their order. */
const struct budget_row *budget_of_protocols(size_t *count);
const struct budget_row *budget_of_others(size_t *count);

/* Prints a Markdown table, with {NAME} for numbers. */
void budget_print(FILE *out);

#endif
