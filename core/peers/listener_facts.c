/* SPDX-License-Identifier: MPL-2.0 */

/* What a connection keeps of the listener that accepted it. */

#include <stdlib.h>

#include "peers/listener_facts.h"

struct listener_facts *listener_facts_make(
	const struct sockaddr_storage *bound, struct proxy_trust *trust)
{
	struct listener_facts *facts = malloc(sizeof(*facts));

	if (!facts) {
		free(trust);
		return NULL;
	}
	facts->bound = *bound;
	facts->trust = trust;
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
	free(facts->trust);
	free(facts);
}
