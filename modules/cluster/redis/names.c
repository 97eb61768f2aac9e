/* SPDX-License-Identifier: MPL-2.0 */

/* The lookups of names that are under way. */

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "cluster/redis/names.h"
#include "shared/lookup.h"

static bool is_for(const struct server *one, const struct server *other)
{
	return one->port == other->port && strcmp(one->host, other->host) == 0;
}

static void free_place(struct names *names, size_t i)
{
	lookup_end(names->place[i].lookup);
	names->place[i].lookup = NULL;
}

/* -1: none is free. */
static int find_place(struct names *names)
{
	const struct addrinfo *list;

	for (int i = 0; i < LOOKUPS_MOST; i++) {
		struct lookup *lookup = names->place[i].lookup;

		/* Nobody has waited for that result. */
		if (lookup && lookup_result(lookup, &list) != EAI_INPROGRESS)
			free_place(names, (size_t)i);
		if (!names->place[i].lookup)
			return i;
	}
	return -1;
}

struct lookup *names_lookup(struct names *names, const struct server *server)
{
	char port[8];
	int i;

	for (i = 0; i < LOOKUPS_MOST; i++)
		if (names->place[i].lookup &&
			is_for(&names->place[i].server, server))
			return names->place[i].lookup;
	i = find_place(names);
	if (i < 0)
		return NULL;
	(void)snprintf(port, sizeof(port), "%u", (unsigned)server->port);
	names->place[i].server = *server;
	names->place[i].lookup = lookup_begin(server->host, port, SOCK_STREAM);
	return names->place[i].lookup;
}

void names_end(struct names *names, const struct lookup *lookup)
{
	for (size_t i = 0; i < LOOKUPS_MOST; i++)
		if (names->place[i].lookup == lookup)
			free_place(names, i);
}

void names_close(struct names *names)
{
	for (size_t i = 0; i < LOOKUPS_MOST; i++)
		free_place(names, i);
}
