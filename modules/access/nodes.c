/* SPDX-License-Identifier: MPL-2.0 */

/* Bans and revoked tokens of the other nodes of a cluster. */

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <strelaysrv/shared_table.h>

#include "accounts.h"
#include "data.h"
#include "nodes.h"
#include "nodes_lists.h"
#include "presence.h"
#include "relay/devices_service.h"

#define LOOK_MS 1000
#define BANS    "bans"
#define REVOKED "revoked"
/* A row of a ban has this, and when it ends; else the ban was ended. */
#define IS_BANNED 'b'
#define IS_ENDED  'e'
/* A ban without an end that was ended is remembered for so long; a node that
 * was away for longer may bring it back. */
#define ENDED_S (INT64_C(30) * 24 * 3600)
/* A node that starts in this time refuses a token that was revoked. */
#define REVOKED_S (INT64_C(24) * 3600)
/* Tells a token from another one of that name. */
#define MARK 8
/* The first rank: of bans that were known before the tables were. */
#define KNOWN_BEFORE 1
/* Devices that are ended in one go. */
#define PART 64

static struct nodes *nodes_of(const struct relay_ctx *cx)
{
	return &((struct data *)cx->data)->nodes;
}

static bool is_shared(const struct relay_ctx *cx)
{
	return ((const struct conf *)cx->conf)->shared;
}

static const struct relay_shared_tables *find_tables(
	struct relay_ctx *cx, struct relay_ctx **self)
{
	return is_shared(cx) ? relay_service_find(cx, RELAY_SHARED_TABLES,
				       RELAY_SHARED_TABLES_VERSION, self)
			     : NULL;
}

static int64_t now_s(void)
{
	return relay_wall_us() / 1000000;
}

/* Bans. */

static struct relay_shared_row row_of(const struct ban *ban, bool is)
{
	struct relay_shared_row row = {.until_s = ban->until_s, .len = 9};
	uint64_t until = (uint64_t)ban->until_s;

	memcpy(row.key, ban->id, sizeof(row.key));
	row.value[0] = is ? IS_BANNED : IS_ENDED;
	for (int i = 8; i > 0; i--, until >>= 8)
		row.value[i] = (uint8_t)until;
	if (!is && !row.until_s)
		row.until_s = now_s() + ENDED_S;
	return row;
}

static void end_device(struct relay_ctx *cx, const uint8_t *id)
{
	struct relay_ctx *self;
	const struct relay_devices_service *here = relay_service_find(cx,
		RELAY_DEVICES_SERVICE, RELAY_DEVICES_SERVICE_VERSION, &self);

	if (here)
		(void)here->end(self, id);
}

/* What a visit is for. */
struct visit {
	struct relay_ctx *cx;
	bool missed; /* a row, for want of memory or room: it comes again */
};

static void take_ban(struct visit *visit, const struct ban *ban)
{
	struct relay_ctx *cx = visit->cx;
	const struct bans *bans = &((struct data *)cx->data)->banned.bans;
	const struct ban *known = bans_find(bans, ban->id, now_s());
	struct relay_err err;

	if (known && known->until_s == ban->until_s)
		return;
	if (banned_add(cx, ban, &err) == 0) {
		end_device(cx, ban->id);
		return;
	}
	visit->missed = true;
	relay_log_seldom(cx, RELAY_ERROR, &nodes_of(cx)->full,
		"a ban of another node is not in force here: %s", err.text);
}

static void take_ban_row(void *arg, const struct relay_shared_row *row)
{
	struct visit *visit = arg;
	struct relay_ctx *cx = visit->cx;
	const struct bans *bans = &((struct data *)cx->data)->banned.bans;
	struct ban ban = {.until_s = row->until_s};

	memcpy(ban.id, row->key, sizeof(ban.id));
	if (row->len && row->value[0] == IS_BANNED)
		take_ban(visit, &ban);
	else if (bans_find(bans, ban.id, now_s()))
		(void)banned_remove(cx, ban.id);
}

/* Any row that is there already has a higher rank. */
static void tell_known(struct relay_ctx *cx,
	const struct relay_shared_tables *tables, struct relay_ctx *self)
{
	const struct bans *bans = &((struct data *)cx->data)->banned.bans;
	bool told = true;

	for (size_t i = 0; i < bans->count; i++) {
		struct relay_shared_row row = row_of(&bans->list[i], true);

		row.rank = KNOWN_BEFORE;
		told &= tables->put(self, BANS, &row) == 0;
	}
	nodes_of(cx)->told = told;
}

static void save_bans(struct relay_ctx *cx)
{
	const struct banned *banned = &((struct data *)cx->data)->banned;
	const struct conf *conf = cx->conf;
	struct relay_err err;

	/* What has failed is logged, and the next change tries it again. */
	if (conf->bans[0] && banned->saved != banned->changes &&
		banned->failed != banned->changes)
		(void)banned_save(cx, &err);
}

/* Revoked tokens. */

static bool make_mark(const struct relay_ctx *cx, const uint8_t digest[32],
	uint8_t mark[SHA256_DIGEST_LENGTH])
{
	uint8_t both[NODES_SECRET + 32];

	memcpy(both, nodes_of(cx)->secret, NODES_SECRET);
	memcpy(both + NODES_SECRET, digest, 32);
	return SHA256(both, sizeof(both), mark) != NULL;
}

static void evict(struct relay_ctx *cx, const char *name)
{
	uint8_t ids[PART][RELAY_DEVICE_ID_LEN];
	size_t count;

	do {
		count = presence_evict(cx, name, ids, PART);
		for (size_t i = 0; i < count; i++)
			end_device(cx, ids[i]);
	} while (count == PART);
}

static void take_revoked_row(void *arg, const struct relay_shared_row *row)
{
	struct visit *visit = arg;
	struct relay_ctx *cx = visit->cx;
	uint8_t mark[SHA256_DIGEST_LENGTH];
	char name[TOKEN_NAME_TEXT];
	struct account_terms terms;

	_Static_assert(TOKEN_NAME_TEXT == RELAY_SHARED_KEY + 1, "a name fits");
	(void)snprintf(name, sizeof(name), "%.*s", RELAY_SHARED_KEY,
		(const char *)row->key);
	if (row->len != MARK || !accounts_terms(cx, name, &terms))
		return;
	if (!make_mark(cx, terms.digest, mark)) {
		visit->missed = true;
	} else if (memcmp(mark, row->value, MARK) == 0) {
		(void)accounts_revoke(cx, name);
		evict(cx, name);
	}
}

/* Visits what has changed since `*seen`. */
static void visit_changes(const struct relay_shared_tables *tables,
	struct relay_ctx *self, const char *table, uint64_t *seen,
	void (*take)(void *arg, const struct relay_shared_row *row),
	struct relay_ctx *cx)
{
	struct visit visit = {.cx = cx};
	uint64_t next = tables->changes(self, table, *seen, take, &visit);

	if (!visit.missed)
		*seen = next;
}

/* All of it. */

static void forget(struct nodes *nodes)
{
	nodes->told = false;
	nodes->bans_seen = nodes->revoked_seen = 0;
	nodes->known = nodes->said = false;
	nodes->differ = 0;
	nodes->for_so_long = 0;
}

static int64_t look(struct relay_ctx *cx, void *arg)
{
	struct nodes *nodes = nodes_of(cx);
	struct relay_ctx *self;
	const struct relay_shared_tables *tables = find_tables(cx, &self);

	(void)arg;
	if (is_shared(cx) && !tables && !nodes->alone)
		relay_log(cx, RELAY_WARNING,
			"shared: the module cluster is not enabled, so bans "
			"and revoked tokens are those of this server");
	nodes->alone = is_shared(cx) && !tables;
	if (!tables) {
		forget(nodes);
		return LOOK_MS;
	}
	if (!nodes->told)
		tell_known(cx, tables, self);
	visit_changes(tables, self, BANS, &nodes->bans_seen, take_ban_row, cx);
	visit_changes(tables, self, REVOKED, &nodes->revoked_seen,
		take_revoked_row, cx);
	save_bans(cx);
	nodes_lists_look(cx, tables, self);
	return LOOK_MS;
}

static const char *put(struct relay_ctx *cx, const char *table,
	const struct relay_shared_row *row)
{
	struct relay_ctx *self;
	const struct relay_shared_tables *tables = find_tables(cx, &self);

	if (!tables)
		return NULL;
	if (tables->put(self, table, row) != 0)
		return "the other nodes of the cluster are not told: there is "
		       "no room or no memory for it";
	return tables->reachable(self)
		       ? "the other nodes of the cluster are told"
		       : "the other nodes of the cluster are told when they "
			 "can be reached";
}

const char *nodes_ban(struct relay_ctx *cx, const struct ban *ban)
{
	const struct relay_shared_row row = row_of(ban, true);

	return put(cx, BANS, &row);
}

const char *nodes_unban(
	struct relay_ctx *cx, const uint8_t id[RELAY_DEVICE_ID_LEN])
{
	struct relay_shared_row row;
	struct ban ban = {.until_s = 0};

	memcpy(ban.id, id, sizeof(ban.id));
	row = row_of(&ban, false);
	return put(cx, BANS, &row);
}

const char *nodes_revoke(struct relay_ctx *cx, const char *name)
{
	struct relay_shared_row row = {
		.until_s = now_s() + REVOKED_S, .len = MARK};
	uint8_t mark[SHA256_DIGEST_LENGTH];
	struct account_terms terms;

	if (!accounts_terms(cx, name, &terms) ||
		!make_mark(cx, terms.digest, mark))
		return NULL;
	memcpy(row.key, name, strnlen(name, sizeof(row.key)));
	memcpy(row.value, mark, MARK);
	return put(cx, REVOKED, &row);
}

void nodes_again(struct relay_ctx *cx)
{
	struct nodes *nodes = nodes_of(cx);

	/* Bans of another file are told, and what was ended elsewhere ends.
	 * Tokens that were revoked before a reload count again. */
	nodes->told = nodes->known = false;
	nodes->bans_seen = 0;
}

static int64_t read_differ(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return nodes_of(cx)->differ;
}

static const struct relay_metric_def differ = {.name = "lists_differ",
	.unit = "",
	.kind = RELAY_GAUGE,
	.read = read_differ,
	.help = "Other nodes of the cluster that have other lists or tokens, "
		"with the option shared."};

int nodes_init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_metrics_add(cx, &differ, 1, NULL, err);
}

int nodes_start(struct relay_ctx *cx, struct relay_err *err)
{
	struct nodes *nodes = nodes_of(cx);

	return relay_derive_key(cx, "shared", nodes->secret, NODES_SECRET) ==
				       0 &&
			       relay_timer_add(cx, LOOK_MS, look, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

void nodes_fini(struct relay_ctx *cx)
{
	OPENSSL_cleanse(nodes_of(cx)->secret, NODES_SECRET);
}
