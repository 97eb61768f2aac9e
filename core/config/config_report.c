/* SPDX-License-Identifier: MPL-2.0 */

/* Reports of problems with the configuration. */

#include <stdarg.h>
#include <stdio.h>

#include "config/config_report.h"

void config_report(struct config_report *report, enum relay_level level,
	const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report->failed |= level == RELAY_ERROR;
	report->fn(level, text, report->arg);
}
