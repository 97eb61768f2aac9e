/* SPDX-License-Identifier: MPL-2.0 */

#include <stddef.h>

#include "relay/data.h"
#include "relay/messages/frame.h"
#include "relay/metrics_table.h"

static const char *const results[] = {"ok", "wrong_token", "full",
	"already_joined", "not_found", "refused", "error", "closed",
	"not_joined", "found", "listener_full", NULL};
/* Follows enum parked_end. */
static const char *const parked_ends[] = {
	"answered", "in_vain", "left", "refused", NULL};
/* Begins as enum remote_end. */
static const char *const remote_results[] = {"ok", "not_found", "refused",
	"closed", "full", "error", "elsewhere", "prepared", NULL};
static const char *const session_results[] = {
	"first", "second", "unknown_key", "handed_back", NULL};
static const char *const given_up[] = {
	"pending-sessions", "pending-per-source", "invitations", "turn", NULL};
static const char *const rejections[] = {"bad_magic", "bad_length",
	"unknown_type", "short_body", "long_field", "bad_value",
	"no_certificate", "several_certificates", "unexpected_message",
	"too_many_messages", NULL};

_Static_assert(FRAME_ERRORS - 1 == REJECTED_NO_CERTIFICATE,
	"the words above follow enum frame_error");
_Static_assert(
	sizeof(rejections) / sizeof(rejections[0]) == REJECTED_TOO_MANY + 2,
	"one word for each rejection");

static int64_t read_pending_keys(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return pending_keys(&data_of(cx)->pending);
}

static int64_t read_waiting(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return pending_waiting(&data_of(cx)->pending);
}

static int64_t read_parked(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return parking_count(&data_of(cx)->parking);
}

const struct relay_metric_def relay_metric_table[RELAY_METRICS] = {
	[METRIC_DEVICES] = {.name = "devices",
		.unit = "",
		.kind = RELAY_GAUGE,
		.help = "Devices that have joined."},
	[METRIC_JOINS] = {.name = "joins",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "result",
		.values = results,
		.help = "Requests to join, by result."},
	[METRIC_CONNECTS] = {.name = "connect_requests",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "result",
		.values = results,
		.help = "Requests for a connection to a device, by result."},
	[METRIC_REMOTE] = {.name = "remote_requests",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "result",
		.values = remote_results,
		.help = "Requests of devices at other relays, by result; "
			"elsewhere, prepared: another relay holds the session, "
			"or invites to it."},
	[METRIC_INVITATIONS] = {.name = "invitations",
		.unit = "",
		.kind = RELAY_COUNTER,
		.help = "Invitations sent, two for each session."},
	[METRIC_SESSION_JOINS] = {.name = "session_joins",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "result",
		.values = session_results,
		.help = "Session keys received, by result."},
	[METRIC_WAITING] = {.name = "invitations_waiting",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_waiting,
		.help = "Invitations that wait until the device has taken "
			"earlier ones."},
	[METRIC_PENDING_KEYS] = {.name = "pending_keys",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_pending_keys,
		.help = "Session keys that were issued and can still be used."},
	[METRIC_HALVES] = {.name = "halves",
		.unit = "",
		.kind = RELAY_GAUGE,
		.help = "Connections that wait for the other side of their "
			"session."},
	[METRIC_PENDING_EXPIRED] = {.name = "sessions_expired",
		.unit = "",
		.kind = RELAY_COUNTER,
		.help = "Sessions whose two sides did not both connect in "
			"time."},
	[METRIC_GIVEN_UP] = {.name = "sessions_given_up",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "bound",
		.values = given_up,
		.help = "Sessions that were given up in favour of others, by "
			"limit; turn: they kept a device busy while others "
			"waited for it."},
	[METRIC_REJECTED] = {.name = "rejected",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "reason",
		.values = rejections,
		.help = "Connections that were closed because they violated "
			"the protocol, by reason."},
	[METRIC_PINGS] = {.name = "pings_sent",
		.unit = "",
		.kind = RELAY_COUNTER,
		.help = "Pings sent to devices that have joined."},
	[METRIC_REPLACED] = {.name = "devices_replaced",
		.unit = "",
		.kind = RELAY_COUNTER,
		.help = "Silent connections of devices that were replaced by a "
			"newer connection of the same device."},
	[METRIC_SENT_AWAY] = {.name = "sent_away",
		.unit = "",
		.kind = RELAY_COUNTER,
		.help = "Joined devices that were disconnected because the "
			"server drains."},
	[METRIC_EVENTS_LOST] = {.name = "events_lost",
		.unit = "",
		.kind = RELAY_COUNTER,
		.help = "Events that a client of -ctl follow did not get, "
			"because there were too many or it read too slowly."},
	[METRIC_PARKED] = {.name = "requests_parked",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "result",
		.values = parked_ends,
		.help = "Requests that waited for a device that may come back, "
			"by what came of it."},
	[METRIC_PARKED_NOW] = {.name = "requests_waiting",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_parked,
		.help = "Requests that wait for a device that may come back."},
};

void count(const struct relay_ctx *cx, enum relay_metric_index which,
	unsigned value)
{
	relay_metric_inc(cx, data_of(cx)->metrics[which], value, 1);
}
