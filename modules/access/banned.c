/* SPDX-License-Identifier: MPL-2.0 */

/* The bans in force, and the work that writes their file. */

#include <stdlib.h>
#include <string.h>

#include "banned.h"
#include "policy.h"
#include "shared/id_begins.h"

/* The first member of the module's data. */
static struct banned *banned_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static const char *path_of(const struct relay_ctx *cx)
{
	return ((const struct conf *)cx->conf)->bans;
}

static int64_t start_s(void)
{
	return relay_start_us() / 1000000;
}

/*
 * Seconds since 1970, to which the bans have been moved: the time of the start
 * moves when the clock is set, as on boards without a battery, and nobody who
 * is banned for a day must be free by that.  The caller has the lock.
 */
static int64_t now_s(struct banned *banned)
{
	int64_t start = start_s(), by_s = start - banned->start_s;

	if (by_s) {
		bans_follow_clock(&banned->bans, by_s);
		banned->start_s = start;
		banned->moved = true;
	}
	return relay_wall_us() / 1000000;
}

int banned_init(struct relay_ctx *cx, struct relay_err *err)
{
	banned_of(cx)->start_s = start_s();
	return pthread_mutex_init(&banned_of(cx)->lock, NULL) == 0
		       ? 0
		       : relay_fail(err, "cannot make a mutex");
}

void banned_fini(struct relay_ctx *cx)
{
	bans_free(&banned_of(cx)->bans);
	pthread_mutex_destroy(&banned_of(cx)->lock);
}

bool banned_is(struct relay_ctx *cx, const uint8_t *id)
{
	struct banned *banned = banned_of(cx);
	bool is;

	if (!id || !atomic_load_explicit(&banned->count, memory_order_acquire))
		return false;
	pthread_mutex_lock(&banned->lock);
	is = bans_find(&banned->bans, id, now_s(banned)) != NULL;
	pthread_mutex_unlock(&banned->lock);
	return is;
}

static void changed(struct banned *banned)
{
	atomic_store_explicit(
		&banned->count, banned->bans.count, memory_order_release);
	banned->changes++;
}

int banned_add(
	struct relay_ctx *cx, const struct ban *ban, struct relay_err *err)
{
	struct banned *banned = banned_of(cx);
	int result;

	pthread_mutex_lock(&banned->lock);
	bans_drop_ended(&banned->bans, now_s(banned));
	result = bans_add(&banned->bans, ban, err);
	pthread_mutex_unlock(&banned->lock);
	changed(banned);
	return result;
}

bool banned_remove(struct relay_ctx *cx, const uint8_t *id)
{
	struct banned *banned = banned_of(cx);
	bool was;

	pthread_mutex_lock(&banned->lock);
	bans_drop_ended(&banned->bans, now_s(banned));
	was = bans_remove(&banned->bans, id);
	pthread_mutex_unlock(&banned->lock);
	changed(banned);
	return was;
}

void banned_take(struct relay_ctx *cx, const struct bans *read, bool save)
{
	struct relay_err err;

	for (size_t i = 0; i < read->count; i++)
		if (banned_add(cx, &read->list[i], &err) != 0) {
			relay_log(cx, RELAY_ERROR, "%s", err.text);
			break;
		}
	if (read->count)
		relay_log(cx, RELAY_INFO, "%zu devices are banned",
			banned_of(cx)->bans.count);
	if (!save)
		banned_of(cx)->saved = banned_of(cx)->changes;
	else if (path_of(cx)[0] && banned_save(cx, &err) != 0)
		relay_log(cx, RELAY_ERROR, "%s; the bans are not saved yet",
			err.text);
}

bool banned_copy(struct relay_ctx *cx, struct bans *copy)
{
	struct banned *banned = banned_of(cx);
	const struct bans *bans = &banned->bans;
	size_t size = bans->count * sizeof(*bans->list);
	int64_t now;

	*copy = (struct bans){.list = malloc(size + 1)};
	if (!copy->list)
		return false;
	pthread_mutex_lock(&banned->lock);
	now = now_s(banned);
	if (size)
		memcpy(copy->list, bans->list, size);
	pthread_mutex_unlock(&banned->lock);
	copy->count = copy->room = bans->count;
	bans_drop_ended(copy, now);
	return true;
}

int banned_named(struct relay_ctx *cx, const char *text,
	uint8_t id[RELAY_DEVICE_ID_LEN], struct relay_err *err)
{
	const struct bans *bans = &banned_of(cx)->bans;
	int found = 0;

	for (size_t i = 0; i < bans->count && found < 2; i++)
		if (id_begins(bans->list[i].id, text)) {
			memcpy(id, bans->list[i].id, RELAY_DEVICE_ID_LEN);
			found++;
		}
	if (found == 1)
		return 0;
	return relay_fail(err,
		found ? "several banned devices begin with \"%.80s\": write "
			"more of the ID"
		      : "no banned device begins with \"%.80s\"",
		text);
}

/* The work. */

struct save {
	char *path, *text; /* owned */
	size_t len;
	uint64_t changes;
	int result;
	struct relay_err err;
};

static void save_run(void *arg)
{
	struct save *save = arg;

	save->result = relay_file_replace(
		save->path, save->text, save->len, 0600, &save->err);
}

static void save_done(struct relay_ctx *cx, void *arg)
{
	const struct save *save = arg;
	struct banned *banned = banned_of(cx);

	banned->saving = false;
	if (save->result == 0) {
		banned->saved = save->changes;
		return;
	}
	banned->failed = save->changes;
	banned->why = save->err;
	relay_log(cx, RELAY_ERROR,
		"%s; the last changes of bans are lost if the server ends",
		save->err.text);
}

static void save_free(void *arg)
{
	struct save *save = arg;

	free(save->path);
	free(save->text);
	free(save);
}

static const struct relay_work saving = {
	.run = save_run, .done = save_done, .free = save_free};

void banned_follow_clock(struct relay_ctx *cx)
{
	struct banned *banned = banned_of(cx);
	struct relay_err err;
	bool moved;

	pthread_mutex_lock(&banned->lock);
	(void)now_s(banned);
	moved = banned->moved;
	banned->moved = false;
	pthread_mutex_unlock(&banned->lock);
	if (!moved)
		return;
	banned->changes++;
	if (path_of(cx)[0] && banned_save(cx, &err) != 0)
		relay_log(cx, RELAY_ERROR, "%s; the bans are not saved yet",
			err.text);
}

int banned_save(struct relay_ctx *cx, struct relay_err *err)
{
	struct banned *banned = banned_of(cx);
	struct save *save;

	if (banned->saving || banned->saved == banned->changes)
		return 0;
	(void)relay_fail(err, "out of memory");
	save = calloc(1, sizeof(*save));
	if (!save)
		return -1;
	save->path = strdup(path_of(cx));
	save->text = bans_text(&banned->bans, &save->len);
	save->changes = banned->changes;
	if (save->path && save->text &&
		relay_work_start(cx, &saving, save, err) == 0) {
		banned->saving = true;
		return 0;
	}
	save_free(save);
	return -1;
}
