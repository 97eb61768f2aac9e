/* SPDX-License-Identifier: MPL-2.0 */

/* What a connection keeps of the listener that accepted it. */

#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "peers/listener_facts.h"

static struct listener_tally *share_tally(struct listener_tally *tally)
{
	if (!tally)
		tally = calloc(1, sizeof(*tally));
	if (tally)
		atomic_fetch_add_explicit(
			&tally->users, 1, memory_order_relaxed);
	return tally;
}

static void leave_tally(struct listener_tally *tally)
{
	if (atomic_fetch_sub_explicit(&tally->users, 1, memory_order_acq_rel) ==
		1)
		free(tally);
}

struct listener_facts *listener_facts_make(const struct sockaddr_storage *bound,
	struct proxy_trust *trust, const struct core_listener *conf,
	struct listener_tally *tally)
{
	struct listener_facts *facts = calloc(1, sizeof(*facts));

	if (facts)
		facts->tally = share_tally(tally);
	if (!facts || !facts->tally) {
		free(facts);
		free(trust);
		return NULL;
	}
	facts->bound = *bound;
	address_unmap(&facts->bound);
	facts->trust = trust;
	if (conf) {
		(void)snprintf(
			facts->name, sizeof(facts->name), "%s", conf->name);
		facts->guarded = conf->guarded;
		(void)snprintf(facts->protocol, sizeof(facts->protocol), "%s",
			conf->protocol);
	}
	atomic_init(&facts->users, 1);
	return facts;
}

struct listener_facts *listener_facts_share(struct listener_facts *facts)
{
	if (facts)
		atomic_fetch_add_explicit(
			&facts->users, 1, memory_order_relaxed);
	return facts;
}

void listener_facts_leave(struct listener_facts *facts)
{
	if (!facts || atomic_fetch_sub_explicit(
			      &facts->users, 1, memory_order_acq_rel) != 1)
		return;
	leave_tally(facts->tally);
	free(facts->trust);
	free(facts);
}

static void add(_Atomic int64_t *number, int64_t by)
{
	atomic_fetch_add_explicit(number, by, memory_order_relaxed);
}

void listener_count(
	const struct listener_facts *facts, enum listener_event event)
{
	if (facts)
		add(&facts->tally->count[event], 1);
}

void listener_now(struct listener_facts *facts, int64_t by)
{
	if (facts)
		add(&facts->tally->now, by);
}

void listener_settled(struct listener_facts *facts, int64_t by)
{
	if (facts)
		add(&facts->tally->settled, by);
}
