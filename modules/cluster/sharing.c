/* SPDX-License-Identifier: MPL-2.0 */

/* The tables that other modules share with those of other nodes. */

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "cluster/data.h"
#include "cluster/sharing.h"

#define TICK_MS 200

static struct sharing *sharing_of(const struct relay_ctx *cx)
{
	return &data_of(cx)->sharing;
}

static int64_t now_s(void)
{
	return relay_wall_us() / 1000000;
}

/* Also the label of messages is of one cluster and generation. */
static int make_secrets(struct relay_ctx *cx)
{
	struct sharing *sharing = sharing_of(cx);
	const struct conf *conf = conf_of(cx);
	char label[128];

	sharing->sealed = false;
	sharing->seal.generation = (uint32_t)conf->generation;
	for (int i = 0; i < ROW_SECRETS; i++) {
		snprintf(label, sizeof(label), "tables of %s, generation %lld",
			conf->name, (long long)conf->generation + i - 1);
		if (relay_derive_key(cx, label, sharing->seal.secret[i],
			    ROW_SECRET) != 0)
			return -1;
	}
	sharing->sealed = true;
	return 0;
}

/* The registry. */

static struct registry_table table_of(
	const struct sharing *sharing, unsigned table)
{
	return (struct registry_table){
		table, sharing->tables.of[table].table.name};
}

static int read_rows(void *arg, unsigned number, uint64_t since)
{
	const struct data *data = data_of(arg);
	struct registry_table table = table_of(&data->sharing, number);

	return data->sharing.sealed
		       ? data->ops->rows(data->registry, &table, since)
		       : -1;
}

static int put_row(struct relay_ctx *cx, unsigned number,
	const struct relay_shared_row *row, const struct registry_row *instead)
{
	struct data *data = data_of(cx);
	struct registry_table table = table_of(&data->sharing, number);
	uint8_t bytes[ROW_MOST];
	size_t len = row_close(&data->sharing.seal, table.name, row, bytes);
	const struct registry_row sealed = {row->key, bytes, len};

	if (!len)
		relay_log_seldom(cx, RELAY_ERROR, &data->sharing.unsealed,
			"out of memory: a row of the table %s is not told to "
			"the other nodes yet",
			table.name);
	return len ? data->ops->row_put(
			     data->registry, &table, &sealed, instead)
		   : -1;
}

static int store_row(
	void *arg, unsigned number, const struct relay_shared_row *row)
{
	return put_row(arg, number, row, NULL);
}

static int drop_row(
	void *arg, unsigned number, const struct relay_shared_row *row)
{
	struct data *data = data_of(arg);
	struct registry_table table = table_of(&data->sharing, number);
	uint8_t bytes[ROW_MOST];
	size_t len = row_close(&data->sharing.seal, table.name, row, bytes);
	const struct registry_row sealed = {row->key, bytes, len};

	return len ? data->ops->row_drop(data->registry, &table, &sealed) : -1;
}

static const struct tables_calls calls = {
	.read = read_rows, .store = store_row, .drop = drop_row};

static void no_room(struct relay_ctx *cx, const char *table)
{
	relay_log_seldom(cx, RELAY_ERROR, &sharing_of(cx)->no_room,
		"the table %s has no room for a row: it has %d already, or "
		"memory is short",
		table, RELAY_SHARED_ROWS);
}

static enum row_fault open_row(struct relay_ctx *cx, unsigned number,
	const struct registry_row *row, struct relay_shared_row *out)
{
	struct sharing *sharing = sharing_of(cx);
	const char *table = sharing->tables.of[number].table.name;
	enum row_fault fault;

	memcpy(out->key, row->key, RELAY_SHARED_KEY);
	fault = row_open(&sharing->seal, table, row->bytes, row->len, out);
	if (fault != ROW_FORGED)
		return fault;
	relay_metric_inc(cx, data_of(cx)->counts[COUNT_SHARED_FORGED], 0, 1);
	relay_log_seldom(cx, RELAY_WARNING, &sharing->forged,
		"a row of the table %s has another key, so it is ignored: a "
		"node has another key.pem or generation, or somebody else "
		"writes to the registry",
		table);
	return fault;
}

void sharing_row_came(
	void *arg, unsigned number, const struct registry_row *row)
{
	struct tables *tables = &sharing_of(arg)->tables;
	struct relay_shared_row opened;
	enum row_fault fault;

	if (number >= tables->count)
		return;
	fault = open_row(arg, number, row, &opened);
	if (fault == ROW_FAILED)
		tables_missed(tables, number);
	else if (fault == ROW_GOOD && tables_came(tables, number, &opened) != 0)
		no_room(arg, tables->of[number].table.name);
}

void sharing_rows_over(
	void *arg, unsigned table, const struct registry_page *page)
{
	const struct tables_page over = {
		page->answered, page->more, page->next, page->last};

	tables_over(&sharing_of(arg)->tables, table, &over, relay_now_ms(arg));
}

/* What is not of this cluster gives way to what is, whatever its rank. */
static bool replace(struct relay_ctx *cx, unsigned number,
	const struct registry_row *forged)
{
	struct tables *tables = &sharing_of(cx)->tables;
	const struct table_row *own =
		table_find(&tables->of[number].table, forged->key);

	return own && put_row(cx, number, &own->row, forged) == 0;
}

void sharing_row_stored(
	void *arg, unsigned number, const struct registry_row *row)
{
	struct tables *tables = &sharing_of(arg)->tables;
	struct relay_shared_row opened;
	enum row_fault fault;

	if (number >= tables->count)
		return;
	fault = row->bytes ? open_row(arg, number, row, &opened) : ROW_FAILED;
	if (fault == ROW_FORGED && replace(arg, number, row))
		return;
	if (tables_stored(tables, number, row->key,
		    fault == ROW_GOOD ? &opened : NULL) != 0)
		no_room(arg, tables->of[number].table.name);
}

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	(void)arg;
	tables_tick(&sharing_of(cx)->tables, relay_now_ms(cx), now_s());
	return TICK_MS;
}

/* The service. */

static const char *name(struct relay_ctx *self)
{
	return data_of(self)->node;
}

static bool reachable(struct relay_ctx *self)
{
	return sharing_of(self)->tables.reachable;
}

static int put(struct relay_ctx *self, const char *table,
	const struct relay_shared_row *row)
{
	struct table *to = tables_get(&sharing_of(self)->tables, table);

	return to ? table_put(to, row) : -1;
}

static uint64_t changes(struct relay_ctx *self, const char *table,
	uint64_t since,
	void (*visit)(void *arg, const struct relay_shared_row *row), void *arg)
{
	const struct table *from = tables_get(&sharing_of(self)->tables, table);

	return from ? table_changes(from, since, now_s(), visit, arg) : 0;
}

static const struct relay_shared_tables service = {
	.name = name, .reachable = reachable, .put = put, .changes = changes};

int sharing_init(struct relay_ctx *cx, struct relay_err *err)
{
	/* Later than those of a former life of the module. */
	tables_init(&sharing_of(cx)->tables, &calls, cx,
		(uint64_t)relay_now_ms(cx) << 20);
	return relay_service_publish(cx, RELAY_SHARED_TABLES,
		       RELAY_SHARED_TABLES_VERSION, &service) == 0
		       ? 0
		       : relay_fail(err, "cannot offer the service %s",
				 RELAY_SHARED_TABLES);
}

int sharing_start(struct relay_ctx *cx, struct relay_err *err)
{
	return make_secrets(cx) == 0 && relay_timer_add(cx, 1, tick, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

void sharing_fini(struct relay_ctx *cx)
{
	struct sharing *sharing = sharing_of(cx);

	tables_finish(&sharing->tables);
	OPENSSL_cleanse(&sharing->seal, sizeof(sharing->seal));
}

void sharing_again(struct relay_ctx *cx)
{
	struct sharing *sharing = sharing_of(cx);

	if (make_secrets(cx) != 0)
		relay_log(cx, RELAY_ERROR,
			"out of memory: nothing is shared with other nodes "
			"until the next reload");
	/* What is stored may be of a key that is not accepted any more. */
	if (sharing->tables.reachable)
		tables_back(&sharing->tables, relay_now_ms(cx));
}

void sharing_back(struct relay_ctx *cx)
{
	tables_back(&sharing_of(cx)->tables, relay_now_ms(cx));
}

void sharing_away(struct relay_ctx *cx)
{
	tables_away(&sharing_of(cx)->tables);
}
