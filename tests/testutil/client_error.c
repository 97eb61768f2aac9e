/* SPDX-License-Identifier: MPL-2.0 */

/* The words and texts of a client's errors. */

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "client_error.h"

static const char *const words[] = {
	[RELAY_CLIENT_LOCAL] = "local",
	[RELAY_CLIENT_NO_ADDRESS] = "no_address",
	[RELAY_CLIENT_UNREACHABLE] = "unreachable",
	[RELAY_CLIENT_TIMEOUT] = "timeout",
	[RELAY_CLIENT_TLS] = "tls",
	[RELAY_CLIENT_WRONG_ID] = "wrong_id",
	[RELAY_CLIENT_POOL] = "pool",
	[RELAY_CLIENT_BAD_MESSAGE] = "bad_message",
	[RELAY_CLIENT_FULL] = "full",
	[RELAY_CLIENT_NOT_FOUND] = "not_found",
	[RELAY_CLIENT_ALREADY_CONNECTED] = "already_connected",
	[RELAY_CLIENT_WRONG_TOKEN] = "wrong_token",
	[RELAY_CLIENT_REFUSED] = "refused",
	[RELAY_CLIENT_SILENT] = "silent",
	[RELAY_CLIENT_CLOSED] = "closed",
};
static_assert(sizeof(words) / sizeof(words[0]) == RELAY_CLIENT_FAILURES,
	"a word for every failure");

const char *relay_client_failure_word(int failure)
{
	if (failure < 0 || failure >= RELAY_CLIENT_FAILURES)
		return "unknown";
	return words[failure];
}

void client_error(struct relay_client_error *error,
	enum relay_client_failure failure, const char *fmt, ...)
{
	va_list ap;

	error->failure = failure;
	va_start(ap, fmt);
	(void)vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	for (char *p = error->text; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
}
