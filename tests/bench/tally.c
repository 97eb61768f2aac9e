/* SPDX-License-Identifier: MPL-2.0 */

/* Counts failures, and maps errors to kinds of failures. */

#include <errno.h>

#include "relay/messages/frame.h"
#include "tally.h"

static const char *const names[FAILURES] = {
	[FAILURE_NONE] = "none",
	[FAILURE_LOCAL] = "local",
	[FAILURE_CONNECT] = "connect",
	[FAILURE_TLS] = "tls",
	[FAILURE_CLOSED] = "closed",
	[FAILURE_RESET] = "reset",
	[FAILURE_PROTOCOL] = "protocol",
	[FAILURE_RELAY_FULL] = "relay_full",
	[FAILURE_NOT_FOUND] = "not_found",
	[FAILURE_ALREADY_CONNECTED] = "already_connected",
	[FAILURE_REFUSED] = "refused",
	[FAILURE_TIMEOUT] = "timeout",
	[FAILURE_DATA] = "data",
	[FAILURE_LIMIT] = "limit",
};

void tally_add(struct tally *tally, enum failure failure)
{
	atomic_fetch_add_explicit(
		&tally->counts[failure], 1, memory_order_relaxed);
}

void tally_clear(struct tally *tally)
{
	for (int i = 0; i < FAILURES; i++)
		atomic_store(&tally->counts[i], 0);
}

uint64_t tally_total(const struct tally *tally)
{
	uint64_t total = 0;

	for (int i = FAILURE_NONE + 1; i < FAILURES; i++)
		total += atomic_load(&tally->counts[i]);
	return total;
}

const char *failure_name(int failure)
{
	return failure >= 0 && failure < FAILURES ? names[failure] : "unknown";
}

enum failure failure_of_errno(int error)
{
	switch (error) {
	case ECONNRESET:
	case EPIPE:
		return FAILURE_RESET;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case EADDRNOTAVAIL:
		return FAILURE_LOCAL;
	default:
		return FAILURE_CONNECT;
	}
}

enum failure failure_of_code(int32_t code)
{
	switch (code) {
	case FRAME_SUCCESS:
		return FAILURE_NONE;
	case FRAME_NOT_FOUND:
		return FAILURE_NOT_FOUND;
	case FRAME_ALREADY_CONNECTED:
		return FAILURE_ALREADY_CONNECTED;
	default:
		return FAILURE_REFUSED;
	}
}
