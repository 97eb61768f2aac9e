/* SPDX-License-Identifier: MPL-2.0 */

/* The words for the reasons why a connection or a session ended. */

#include <stddef.h>

#include "base/reason.h"

const char *const reason_words[] = {
	[RELAY_END_EOF] = "eof",
	[RELAY_END_RESET] = "reset",
	[RELAY_END_TIMEOUT] = "timeout",
	[RELAY_END_TLS] = "tls",
	[RELAY_END_DENIED] = "denied",
	[RELAY_END_PROTOCOL] = "protocol",
	[RELAY_END_OVERFLOW] = "overflow",
	[RELAY_END_DONE] = "done",
	[RELAY_END_PEER_LOST] = "peer-lost",
	[RELAY_END_REPLACED] = "replaced",
	[RELAY_END_LIMIT] = "limit",
	[RELAY_END_STOP] = "stop",
	[RELAY_END_WITHDRAWN] = "withdrawn",
	[RELAY_END_ERROR] = "error",
	[RELAY_END_MOVED] = "moved",
	[RELAY_END_STALLED] = "stalled",
	[RELAY_END_PRESSURE] = "pressure",
	NULL,
};

_Static_assert(
	sizeof(reason_words) / sizeof(reason_words[0]) == RELAY_END_COUNT + 1,
	"every reason has a word");

const char *relay_reason_word(enum relay_reason reason)
{
	if ((unsigned)reason >= RELAY_END_COUNT)
		return "unknown";
	return reason_words[reason];
}
