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

int grants_hold(
	struct grants *grants, const uint8_t *id, int64_t rate, int64_t weight)
{
	struct grant *grant = find(grants, id);

	if (!grant)
		grant = add(grants, id);
	if (!grant)
		return -1;
	grant->holders++;
	grant->rate = rate;
	grant->weight = weight;
	return 0;
}

void grants_let_go(struct grants *grants, const uint8_t *id)
{
	struct grant *grant = find(grants, id);

	if (!grant || --grant->holders > 0)
		return;
	HASH_DEL(grants->all, grant);
	free(grant);
}

const struct grant *grants_find(const struct grants *grants, const uint8_t *id)
{
	return find(grants, id);
}

void grants_free(struct grants *grants)
{
	struct grant *grant, *next;

	HASH_ITER(hh, grants->all, grant, next)
	{
		HASH_DEL(grants->all, grant);
		free(grant);
	}
}
