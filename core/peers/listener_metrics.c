/* SPDX-License-Identifier: MPL-2.0 */

/* Metrics of each listener. */

#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "metrics/core_metrics.h"
#include "metrics/metrics.h"
#include "peers/listen_address.h"
#include "peers/listen_set.h"
#include "peers/listener_facts.h"
#include "peers/listener_metrics.h"
#include "peers/peers_shared.h"

static const struct listener_tally *tally_at(unsigned i)
{
	const struct listen_set *set = &peers_shared()->now;

	return i < set->count ? set->all[i]->facts->tally : NULL;
}

static int64_t load(const _Atomic int64_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

static int64_t event_at(unsigned i, enum listener_event event)
{
	const struct listener_tally *tally = tally_at(i);

	return tally ? load(&tally->count[event]) : 0;
}

static int64_t accepted(struct relay_ctx *cx, unsigned i)
{
	(void)cx;
	return event_at(i, LISTENER_ACCEPTED);
}

static int64_t full(struct relay_ctx *cx, unsigned i)
{
	(void)cx;
	return event_at(i, LISTENER_FULL);
}

static int64_t denied(struct relay_ctx *cx, unsigned i)
{
	(void)cx;
	return event_at(i, LISTENER_DENIED);
}

static int64_t unproxied(struct relay_ctx *cx, unsigned i)
{
	(void)cx;
	return event_at(i, LISTENER_UNPROXIED);
}

static int64_t now(struct relay_ctx *cx, unsigned i)
{
	const struct listener_tally *tally = tally_at(i);

	(void)cx;
	return tally ? load(&tally->now) : 0;
}

static int64_t limit(struct relay_ctx *cx, unsigned i)
{
	const struct listener_tally *tally = tally_at(i);

	(void)cx;
	return tally ? load(&tally->limit) : 0;
}

static const char *const nothing_yet[] = {"none", NULL};

#define LABELLED .label = "listener", .values = nothing_yet

static const struct relay_metric_def defs[] = {
	{.name = "listener_connections",
		.kind = RELAY_GAUGE,
		.read = now,
		LABELLED,
		.help = "Connections that came in there, by the name or the "
			"address of the listener."},
	{.name = "listener_connection_limit",
		.kind = RELAY_GAUGE,
		.read = limit,
		LABELLED,
		.help = "The option max-connections of the listener. 0: none."},
	{.name = "listener_accepted",
		.kind = RELAY_COUNTER,
		.read = accepted,
		LABELLED,
		.help = "Connections that were accepted there. One that an "
			"upgrade hands to another process counts only in that "
			"which accepted it."},
	{.name = "listener_refused_full",
		.kind = RELAY_COUNTER,
		.read = full,
		LABELLED,
		.help = "Connections that came in there and were refused, sent "
			"away or evicted since a limit on connections "
			"was reached."},
	{.name = "listener_refused_denied",
		.kind = RELAY_COUNTER,
		.read = denied,
		LABELLED,
		.help = "Connections that came in there and were refused by a "
			"module."},
	{.name = "listener_refused_proxy",
		.kind = RELAY_COUNTER,
		.read = unproxied,
		LABELLED,
		.help = "Connections that came in there, where only proxies "
			"connect, and had no valid header of a trusted "
			"one."},
};

#define LISTENER_METRICS (sizeof(defs) / sizeof(defs[0]))

int listener_metrics_init(void)
{
	peers_shared()->listener_metrics =
		core_metrics_add(defs, LISTENER_METRICS);
	return peers_shared()->listener_metrics ? 0 : -1;
}

#define LABEL_MAX (ADDRESS_HOST_MAX + ADDRESS_PORT_MAX)

static void label_of(const struct listen_address *one, char out[LABEL_MAX])
{
	const struct listener_facts *facts =
		one->next_facts ? one->next_facts : one->facts;

	if (facts->name[0])
		(void)snprintf(out, LABEL_MAX, "%s", facts->name);
	else
		listen_address_text(one, out, LABEL_MAX);
}

int listener_metrics_stage(const struct listen_set *set)
{
	struct relay_metric **metrics = peers_shared()->listener_metrics;
	char(*texts)[LABEL_MAX] = calloc(set->count + 1, sizeof(*texts));
	const char **labels = calloc(set->count + 1, sizeof(*labels));
	struct relay_err err;
	int result = texts && labels ? 0 : -1;

	for (unsigned i = 0; result == 0 && i < set->count; i++) {
		label_of(set->all[i], texts[i]);
		labels[i] = texts[i];
	}
	for (unsigned i = 0; metrics && result == 0 && i < LISTENER_METRICS;
		i++)
		result = metrics_stage_values(metrics[i], labels, &err);
	free(labels);
	free(texts);
	return result;
}

void listener_metrics_take(void)
{
	struct relay_metric **metrics = peers_shared()->listener_metrics;

	for (unsigned i = 0; metrics && i < LISTENER_METRICS; i++)
		metrics_take_one(metrics[i]);
}

void listener_metrics_drop(void)
{
	struct relay_metric **metrics = peers_shared()->listener_metrics;

	for (unsigned i = 0; metrics && i < LISTENER_METRICS; i++)
		metrics_drop_one(metrics[i]);
}
