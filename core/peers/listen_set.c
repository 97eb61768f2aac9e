/* SPDX-License-Identifier: MPL-2.0 */

/* A set of addresses that are listened on. */

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "log/log.h"
#include "peers/listen_set.h"
#include "peers/listen_address.h"
#include "peers/listener_facts.h"

void listen_set_log(
	const struct listen_set *set, bool wanted, bool open, const char *what)
{
	char text[ADDRESS_HOST_MAX + ADDRESS_PORT_MAX];

	for (unsigned i = 0; i < set->count; i++) {
		if (set->all[i]->wanted != wanted || set->all[i]->open != open)
			continue;
		listen_address_text(set->all[i], text, sizeof(text));
		log_core(RELAY_NOTICE, "%s %s", what, text);
	}
}

int listen_set_each(const struct listen_set *set, const struct worker *worker,
	int (*fn)(struct listener *))
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->all[i] &&
			listen_address_each(set->all[i], worker, fn) != 0)
			return -1;
	return 0;
}

static bool is_for(const struct listen_address *one, bool proxies, bool members)
{
	const struct listener_facts *facts =
		one->next_facts ? one->next_facts : one->facts;

	return (facts->trust != NULL) == proxies && facts->guarded == members;
}

const struct listen_address *listen_set_told(
	const struct listen_set *set, unsigned i)
{
	const unsigned wanted = i;

	for (int kind = 0; kind < 4 && (kind < 2 || i == wanted); kind++)
		for (unsigned k = 0; k < set->count; k++)
			if (is_for(set->all[k], kind >= 2, kind % 2) &&
				i-- == 0)
				return set->all[k];
	return NULL;
}

struct listener_facts *listen_set_facts(
	const struct listen_set *set, const struct listen_place *to)
{
	for (unsigned i = 0; i < set->count; i++)
		if (listen_place_overlaps(&set->all[i]->bound, to))
			return listener_facts_share(set->all[i]->facts);
	return NULL;
}

void listen_set_free(struct listen_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		listen_address_free(set->all[i]);
	free(set->all);
	memset(set, 0, sizeof(*set));
}
