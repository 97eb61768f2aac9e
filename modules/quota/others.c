/* SPDX-License-Identifier: MPL-2.0 */

/* What the other nodes of a cluster have used. */

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <strelaysrv/shared_table.h>

#include "data.h"
#include "others.h"

#define TABLE "quota"
/* How long after its period a sum is kept: clocks differ. */
#define KEPT_S (INT64_C(2) * 24 * 3600)

/* A key: the number of the node, the period, when it began. */
enum { AT_PERIOD = SELF_LEN, AT_BEGIN, KEY_END = AT_BEGIN + 8 };

static void make_key(const struct data *data, int which, uint8_t *key)
{
	uint64_t begin = (uint64_t)data->meter.begin_s[which];

	memset(key, 0, RELAY_SHARED_KEY);
	memcpy(key, data->self.id, SELF_LEN);
	key[AT_PERIOD] = (uint8_t)which;
	for (int i = 7; i >= 0; i--, begin >>= 8)
		key[AT_BEGIN + i] = (uint8_t)begin;
}

/* True: a new number was made. */
static bool know_self(struct data *data, const char *name)
{
	struct self self = {.name = ""};

	if (strcmp(data->self.name, name) == 0)
		return false;
	(void)snprintf(self.name, sizeof(self.name), "%s", name);
	if (getrandom(self.id, SELF_LEN, GRND_NONBLOCK) != SELF_LEN)
		return false;
	data->self = self;
	return true;
}

struct sums {
	const struct data *data;
	uint8_t own[METERS][RELAY_SHARED_KEY];
	int64_t own_sum[METERS], others[METERS];
	int64_t nodes[METERS];
};

static void add(void *arg, const struct relay_shared_row *row)
{
	struct sums *sums = arg;
	int64_t most = INT64_MAX / 4;
	int64_t sum = row->rank < (uint64_t)most ? (int64_t)row->rank : most;

	for (int i = 0; i < METERS; i++) {
		const uint8_t *own = sums->own[i];

		if (memcmp(row->key + SELF_LEN, own + SELF_LEN,
			    RELAY_SHARED_KEY - SELF_LEN) != 0)
			continue;
		if (memcmp(row->key, own, SELF_LEN) == 0) {
			sums->own_sum[i] = sum;
			continue;
		}
		sums->nodes[i]++;
		sums->others[i] = sums->others[i] < most - sum
					  ? sums->others[i] + sum
					  : most;
	}
}

/* A sum never falls. */
static void raise_sum(struct data *data, int64_t *sum, int64_t to)
{
	if (to <= *sum)
		return;
	*sum = to;
	data->unsaved = true;
}

/* After a crash the file is older than what was told. */
static void take(struct data *data, const struct sums *sums)
{
	for (int i = 0; i < METERS; i++) {
		raise_sum(data, &data->meter.relayed[i], sums->own_sum[i]);
		/* What is lower has not been read yet, or was lost. */
		raise_sum(data, &data->meter.others[i], sums->others[i]);
	}
	data->nodes = sums->nodes[METER_MONTH];
}

static void tell(const struct relay_shared_tables *tables,
	struct relay_ctx *self, const struct data *data,
	const struct sums *sums)
{
	for (int i = 0; i < METERS; i++) {
		struct relay_shared_row row = {
			.rank = (uint64_t)data->meter.relayed[i],
			.until_s = meter_end_s(&data->meter, &data->plan, i) +
				   KEPT_S};

		/* Rank 0 would be above what is there. */
		if (!row.rank || !data->meter.begin_s[i])
			continue;
		memcpy(row.key, sums->own[i], sizeof(row.key));
		/* Without memory the next call does it. */
		(void)tables->put(self, TABLE, &row);
	}
}

bool others_count(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct relay_ctx *self;
	const struct relay_shared_tables *tables = relay_service_find(
		cx, RELAY_SHARED_TABLES, RELAY_SHARED_TABLES_VERSION, &self);
	struct sums sums = {.data = data};
	bool made;

	data->nodes = 0;
	if (!conf->shared)
		memset(data->meter.others, 0, sizeof(data->meter.others));
	if (!conf->shared || data->moved)
		return false;
	if (!tables && !data->alone)
		relay_log(cx, RELAY_WARNING,
			"shared: the module cluster is not enabled, so this "
			"server counts alone");
	data->alone = !tables;
	if (!tables)
		return false;
	made = know_self(data, tables->name(self));
	/* Without a number of its own it would count as another node. */
	if (!data->self.name[0])
		return false;
	for (int i = 0; i < METERS; i++)
		make_key(data, i, sums.own[i]);
	(void)tables->changes(self, TABLE, 0, add, &sums);
	take(data, &sums);
	tell(tables, self, data, &sums);
	return made;
}
