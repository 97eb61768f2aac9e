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

/* Kinds of addresses, in the order in which others are told of them.  Others
 * cannot use what only proxies may connect to, nor what speaks only a protocol
 * that they may not know. */
enum kind { PUBLIC, PRIVATE, PROXIED, PROXIED_PRIVATE, OF_PROTOCOL, KINDS };

static int kind_of(const struct listen_address *one)
{
	const struct listener_facts *facts =
		one->next_facts ? one->next_facts : one->facts;

	if (facts->protocol[0])
		return OF_PROTOCOL;
	if (facts->trust)
		return facts->guarded ? PROXIED_PRIVATE : PROXIED;
	return facts->guarded ? PRIVATE : PUBLIC;
}

const struct listen_address *listen_set_told(
	const struct listen_set *set, unsigned i)
{
	const unsigned wanted = i;

	for (int kind = 0; kind < KINDS && (kind <= PRIVATE || i == wanted);
		kind++)
		for (unsigned k = 0; k < set->count; k++)
			if (kind_of(set->all[k]) == kind && i-- == 0)
				return set->all[k];
	return NULL;
}

bool listen_set_any_private(const struct listen_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->all[i]->facts->guarded)
			return true;
	return false;
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
