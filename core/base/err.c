/* SPDX-License-Identifier: MPL-2.0 */

/* Error texts. */

#include <stdarg.h>
#include <stdio.h>

#include "strelaysrv/err.h"

int relay_fail(struct relay_err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}
