/* SPDX-License-Identifier: MPL-2.0 */

#include <stddef.h>

#include "wormhole-transit/data.h"
#include "wormhole-transit/metrics_table.h"

static const char *const results[] = {
	[RESULT_PAIRED] = "paired",
	[RESULT_BAD_HANDSHAKE] = "bad_handshake",
	[RESULT_IMPATIENT] = "impatient",
	[RESULT_SLOW] = "slow",
	[RESULT_LONELY] = "lonely",
	[RESULT_EXPIRED] = "expired",
	[RESULT_REDUNDANT] = "redundant",
	[RESULT_BOUND] = "bound",
	[RESULT_EVICTED] = "evicted",
	[RESULT_FULL] = "full",
	[RESULT_CLOSED] = "closed",
	[RESULT_REFUSED] = "refused",
	[RESULT_TLS] = "tls",
	[RESULT_PRIVATE] = "private",
	[RESULT_MOVED] = "moved",
	[RESULT_STOPPED] = "stopped",
	[RESULT_ERROR] = "error",
	[RESULTS] = NULL,
};

static const char *const bounds[] = {
	[BOUND_TOKEN] = "waiting-per-token",
	[BOUND_SOURCE] = "waiting-per-source",
	[BOUND_ALL] = "waiting",
	[WAITING_BOUNDS] = NULL,
};

static int64_t read_waiting(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return waiting_count(&data_of(cx)->waiting);
}

const struct relay_metric_def metrics_table[METRICS] = {
	[METRIC_CLIENTS] = {.name = "clients",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "result",
		.values = results,
		.help = "Clients, by what became of them: paired, or why they "
			"were not."},
	[METRIC_BOUNDS] = {.name = "bounds_reached",
		.unit = "",
		.kind = RELAY_COUNTER,
		.label = "bound",
		.values = bounds,
		.help = "Clients that waited and were closed, by the bound "
			"that was reached."},
	[METRIC_WAITING] = {.name = "waiting",
		.unit = "",
		.kind = RELAY_GAUGE,
		.read = read_waiting,
		.help = "Clients that wait for another one with the same "
			"token."},
};

const char *result_word(enum result result)
{
	return results[result];
}
