/* SPDX-License-Identifier: MPL-2.0 */

/* Devices to which another module gives a rate or a weight. */

#include <stdlib.h>
#include <string.h>

#include "grants.h"

static struct grant *find(const struct grants *grants, const uint8_t *id)
{
	struct grant *grant;

	HASH_FIND(hh, grants->all, id, ID_LEN, grant);
	return grant;
}

static struct grant *add(struct grants *grants, const uint8_t *id)
{
	struct grant *grant = calloc(1, sizeof(*grant));

	if (!grant)
		return NULL;
	memcpy(grant->id, id, ID_LEN);
	HASH_ADD_KEYPTR(hh, grants->all, grant->id, ID_LEN, grant);
	if (grant->hh.tbl)
		return grant;
	free(grant); /* uthash did not add it: out of memory */
	return NULL;
}

/* Where the holder's part is, or would be. */
static struct grant_part **part_of(struct grant *grant, const char *holder)
{
	struct grant_part **at = &grant->parts;

	while (*at && strcmp((*at)->holder, holder) != 0)
		at = &(*at)->next;
	return at;
}

static void sum_up(struct grant *grant)
{
	grant->rate = grant->weight = 0;
	for (const struct grant_part *part = grant->parts; part;
		part = part->next) {
		if (part->rate && (!grant->rate || part->rate < grant->rate))
			grant->rate = part->rate;
		if (part->weight > grant->weight)
			grant->weight = part->weight;
	}
}

static void drop_empty(struct grants *grants, struct grant *grant)
{
	if (grant->parts)
		return;
	HASH_DEL(grants->all, grant);
	free(grant);
}

int grants_hold(struct grants *grants, const char *holder, const uint8_t *id,
	int64_t rate, int64_t weight)
{
	struct grant *grant = find(grants, id);
	struct grant_part **at, *part;

	if (!grant)
		grant = add(grants, id);
	if (!grant)
		return -1;
	at = part_of(grant, holder);
	if (!*at)
		*at = calloc(1, sizeof(**at));
	part = *at;
	if (!part) {
		drop_empty(grants, grant);
		return -1;
	}
	part->holder = holder;
	part->holds++;
	part->rate = rate;
	part->weight = weight;
	sum_up(grant);
	return 0;
}

void grants_let_go(struct grants *grants, const char *holder, const uint8_t *id)
{
	struct grant *grant = find(grants, id);
	struct grant_part **at = grant ? part_of(grant, holder) : NULL;
	struct grant_part *part = at ? *at : NULL;

	if (!part || --part->holds > 0)
		return;
	*at = part->next;
	free(part);
	sum_up(grant);
	drop_empty(grants, grant);
}

const struct grant *grants_find(const struct grants *grants, const uint8_t *id)
{
	return find(grants, id);
}

void grants_free(struct grants *grants)
{
	struct grant *grant;

	while ((grant = grants->all)) {
		while (grant->parts) {
			struct grant_part *part = grant->parts;

			grant->parts = part->next;
			free(part);
		}
		drop_empty(grants, grant);
	}
}
