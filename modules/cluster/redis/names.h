/* SPDX-License-Identifier: MPL-2.0 */

/*
 * names.h - the lookups of names that are under way.
 *
 * Each has a thread, which a silent name server keeps for minutes.  So one that
 * was given up is taken up again when the same name is to be tried, and there
 * are few of them.
 */
#ifndef REDIS_NAMES_H
#define REDIS_NAMES_H

#include "cluster/redis/servers.h"

#define LOOKUPS_MOST 4

struct lookup;

struct names {
	struct {
		struct server server;
		struct lookup *lookup; /* owned; NULL: this place is free */
	} place[LOOKUPS_MOST];
};

/* A lookup of that server's name, lent.  NULL: there is no memory or no thread,
 * or name servers leave all places occupied. */
struct lookup *names_lookup(struct names *names, const struct server *server);
/* Its result has been taken. */
void names_end(struct names *names, const struct lookup *lookup);
void names_close(struct names *names);

#endif
