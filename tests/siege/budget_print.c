/* SPDX-License-Identifier: MPL-2.0 */

/* Prints the table of budgets. */

#include <string.h>

#include "budget.h"

/* Prints each name in back quotes. */
static void print_names(FILE *out, const char *names)
{
	if (strcmp(names, "-") == 0) {
		fputs(" - |", out);
		return;
	}
	fputs(" `", out);
	for (; *names; names++)
		fputs(*names == ' ' ? "` `" : (char[]){*names, '\0'}, out);
	fputs("` |", out);
}

static void print_rows(FILE *out, const struct budget_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct budget_row *row = &rows[i];

		fprintf(out, "| %s | %s | %s | %s | %s |", row->place,
			row->what, row->connection, row->source, row->all);
		print_names(out, row->by);
		print_names(out, row->counter);
		fprintf(out, " %s |", row->bounds ? "yes" : "no");
		print_names(out, row->tests);
		print_names(out, row->attacks);
		fputc('\n', out);
	}
}

void budget_print(FILE *out)
{
	const struct budget_row *rows;
	size_t count;

	fputs("| where | what | per connection | per source | in total | set "
	      "by | counted by | needs bounds | tests | attacks |\n"
	      "|---|---|---|---|---|---|---|---|---|---|\n",
		out);
	rows = budget_of_protocols(&count);
	print_rows(out, rows, count);
	rows = budget_of_others(&count);
	print_rows(out, rows, count);
}
