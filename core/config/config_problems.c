/* SPDX-License-Identifier: MPL-2.0 */

/* A list of problems, sorted by place. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config_problems.h"

void config_problems_add(struct config_problems *problems,
	const struct config_problem *at, const char *fmt, ...)
{
	struct config_problem *items, *problem;
	va_list ap;
	char *text;
	int len;

	if (problems->count > CONFIG_PROBLEMS_MAX)
		return;
	items = reallocarray(
		problems->items, problems->count + 1, sizeof(*items));
	if (!items) {
		problems->no_memory = true;
		return;
	}
	problems->items = items;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		problems->no_memory = true;
		return;
	}
	/* Words quoted from the file may contain line ends that forge a log
	 * line. */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	problem = &items[problems->count++];
	*problem = *at;
	problem->serial = problems->serial++;
	problem->text = text;
}

void config_problems_rewind(struct config_problems *problems)
{
	size_t kept = 0;

	for (size_t i = 0; i < problems->count; i++) {
		if (problems->items[i].lasting)
			problems->items[kept++] = problems->items[i];
		else
			free(problems->items[i].text);
	}
	problems->count = kept;
}

static int compare(const void *a, const void *b)
{
	const struct config_problem *left = a, *right = b;

	/* Sources are in one array, in the order in which they were read. */
	if (left->source != right->source)
		return (uintptr_t)left->source < (uintptr_t)right->source ? -1
									  : 1;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->serial < right->serial ? -1 : 1;
}

static void tell(const struct config_problem *problem, config_report_fn *report,
	void *arg)
{
	char *text;
	int len;

	if (!problem->source) {
		report(problem->level, problem->text, arg);
		return;
	}
	if (problem->line)
		len = asprintf(&text, "%s:%u: %s", problem->source->path,
			problem->line, problem->text);
	else
		len = asprintf(
			&text, "%s: %s", problem->source->path, problem->text);
	if (len < 0) {
		report(problem->level, problem->text, arg);
		return;
	}
	report(problem->level, text, arg);
	free(text);
}

size_t config_problems_tell(
	struct config_problems *problems, config_report_fn *report, void *arg)
{
	size_t errors = problems->no_memory;

	if (problems->no_memory)
		report(RELAY_ERROR, "out of memory", arg);
	if (problems->count > 1)
		qsort(problems->items, problems->count,
			sizeof(*problems->items), compare);
	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->items[i];

		errors += problem->level == RELAY_ERROR;
		if (i < CONFIG_PROBLEMS_MAX)
			tell(problem, report, arg);
		else
			report(RELAY_ERROR, "there are more problems", arg);
	}
	for (size_t i = 0; i < problems->count; i++)
		free(problems->items[i].text);
	free(problems->items);
	*problems = (struct config_problems){0};
	return errors;
}
