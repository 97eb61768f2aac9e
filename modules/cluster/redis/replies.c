/* SPDX-License-Identifier: MPL-2.0 */

/* What the answers of a server mean. */

#include <stdio.h>
#include <string.h>

#include "cluster/redis/keys.h"
#include "cluster/redis/replies.h"
#include "cluster/redis/scripts.h"

static bool is_text(const struct resp *reply)
{
	return reply->type == RESP_TEXT;
}

/* Such a list has as many values, or more. */
static bool is_list(const struct resp *reply, size_t count)
{
	return reply->type == RESP_ARRAY && reply->count >= count;
}

static int copy(const struct resp *reply, char *to, size_t room)
{
	if (!is_text(reply) || reply->len >= room ||
		memchr(reply->bytes, '\0', reply->len))
		return -1;
	memcpy(to, reply->bytes, reply->len);
	to[reply->len] = '\0';
	return 0;
}

static int read_digits(const uint8_t *at, size_t len, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		if (at[i] < '0' || at[i] > '9' || i == 9)
			return -1;
		*out = *out * 10 + (uint64_t)(at[i] - '0');
	}
	return len ? 0 : -1;
}

int reply_claim(
	const struct resp *reply, struct owner *before, struct owner *now)
{
	if (!is_text(reply) || reply->len != 2 * (size_t)KEYS_ENTRY)
		return -1;
	*before = (struct owner){
		keys_get(reply->bytes), keys_get(reply->bytes + 8)};
	*now = (struct owner){keys_get(reply->bytes + KEYS_ENTRY),
		keys_get(reply->bytes + KEYS_ENTRY + 8)};
	/* Both 0 is what tells that there was no answer. */
	return now->incarnation ? 0 : -1;
}

int reply_find(const struct resp *reply, enum find_end *end)
{
	if (reply->type != RESP_INTEGER)
		return -1;
	switch (reply->number) {
	case SCRIPT_FIND_NOBODY:
		*end = FIND_NOBODY;
		return 0;
	case SCRIPT_FIND_OURS:
		*end = FIND_OURS;
		return 0;
	case SCRIPT_FIND_SENT:
		*end = FIND_SENT;
		return 0;
	default:
		return -1;
	}
}

int reply_leases(
	const struct resp *reply, char next[24], const struct resp **leases)
{
	if (!is_list(reply, 2) || copy(&reply->of[0], next, 24) != 0 ||
		!*next || strspn(next, "0123456789") != strlen(next) ||
		!is_list(&reply->of[1], 0))
		return -1;
	*leases = &reply->of[1];
	return 0;
}

int reply_row(const struct resp *reply, struct registry_row *row)
{
	if (!is_text(reply) || !reply->len)
		return -1;
	row->bytes = reply->bytes;
	row->len = reply->len;
	return 0;
}

int reply_keyed_row(const struct resp *reply, struct registry_row *row)
{
	if (!is_text(reply) || reply->len <= REGISTRY_ID)
		return -1;
	row->key = reply->bytes;
	row->bytes = reply->bytes + REGISTRY_ID;
	row->len = reply->len - REGISTRY_ID;
	return 0;
}

/* The number of a change, which a script has counted as a double. */
static int read_change(const struct resp *reply, uint64_t *out)
{
	*out = 0;
	if (!is_text(reply) || !reply->len || reply->len > 15)
		return -1;
	for (size_t i = 0; i < reply->len; i++) {
		if (reply->bytes[i] < '0' || reply->bytes[i] > '9')
			return -1;
		*out = *out * 10 + (uint64_t)(reply->bytes[i] - '0');
	}
	return 0;
}

int reply_rows(const struct resp *reply, struct registry_page *page,
	const struct resp **rows)
{
	*page = (struct registry_page){.answered = true};
	if (!is_list(reply, 4) ||
		read_change(&reply->of[0], &page->next) != 0 ||
		read_change(&reply->of[1], &page->last) != 0 ||
		reply->of[2].type != RESP_INTEGER || !is_list(&reply->of[3], 0))
		return -1;
	page->more = reply->of[2].number != 0;
	*rows = &reply->of[3];
	return 0;
}

int reply_identify(const struct resp *reply, const uint8_t **id)
{
	if (!is_text(reply) || reply->len != REGISTRY_ID)
		return -1;
	*id = reply->bytes;
	return 0;
}

int reply_loaded(const struct resp *reply, char sha[41])
{
	return copy(reply, sha, 41) != 0 || strlen(sha) != 40 ? -1 : 0;
}

int reply_role(const struct resp *reply, struct reply_role *out)
{
	*out = (struct reply_role){.role = ROLE_PRIMARY};
	if (!is_list(reply, 1))
		return -1;
	if (resp_is(&reply->of[0], "master"))
		return 0;
	out->role = ROLE_SENTINEL;
	if (resp_is(&reply->of[0], "sentinel"))
		return 0;
	out->role = ROLE_REPLICA;
	if (!resp_is(&reply->of[0], "slave") || !is_list(reply, 3) ||
		!is_text(&reply->of[1]) || reply->of[2].type != RESP_INTEGER ||
		reply->of[2].number < 0)
		return -1;
	out->host = &reply->of[1];
	out->port = (uint64_t)reply->of[2].number;
	return 0;
}

int reply_master(
	const struct resp *reply, const struct resp **host, uint64_t *port)
{
	*host = NULL;
	if (reply->type == RESP_NIL)
		return 0;
	if (!is_list(reply, 2) || !is_text(&reply->of[0]) ||
		!is_text(&reply->of[1]) ||
		read_digits(reply->of[1].bytes, reply->of[1].len, port) != 0)
		return -1;
	*host = &reply->of[0];
	return 0;
}

int reply_moved(const struct resp *reply, const uint8_t **host, size_t *len,
	uint64_t *port)
{
	const uint8_t *end = reply->bytes + reply->len, *at, *colon;

	if (reply->type != RESP_ERROR || reply->len < 7 ||
		memcmp(reply->bytes, "MOVED ", 6) != 0)
		return -1;
	at = memrchr(reply->bytes, ' ', reply->len);
	colon = memrchr(reply->bytes, ':', reply->len);
	if (!colon || colon <= at)
		return -1;
	*host = at + 1;
	*len = (size_t)(colon - at - 1);
	return read_digits(colon + 1, (size_t)(end - colon - 1), port);
}

/* The value of a line "NAME:VALUE", as far as it has such characters. */
static void find_line(
	const struct resp *reply, const char *name, char *value, size_t room)
{
	const char *at = (const char *)reply->bytes, *end = at + reply->len;
	size_t len = strlen(name), used = 0;

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		const char *stop = line ? line : end;

		if ((size_t)(stop - at) > len && memcmp(at, name, len) == 0)
			for (at += len; at<stop && * at> ' ' && *at <= '~' &&
					used + 1 < room;)
				value[used++] = *at++;
		if (used)
			break;
		at = stop + 1;
	}
	value[used] = '\0';
}

int reply_info(const struct resp *reply, struct reply_info *out)
{
	char version[32];

	*out = (struct reply_info){.run_id = ""};
	if (!is_text(reply))
		return -1;
	find_line(reply, "run_id:", out->run_id, sizeof(out->run_id));
	find_line(reply, "redis_version:", version, sizeof(version));
	/* The rest stays 0 if this is no number. */
	for (const char *at = version;
		*at >= '0' && *at <= '9' && out->major < 1000; at++)
		out->major = out->major * 10 + (unsigned)(*at - '0');
	if (strchr(version, '.'))
		for (const char *at = strchr(version, '.') + 1;
			*at >= '0' && *at <= '9' && out->minor < 1000; at++)
			out->minor = out->minor * 10 + (unsigned)(*at - '0');
	return 0;
}

int reply_config(const struct resp *reply, char value[32])
{
	return is_list(reply, 2) && reply->count == 2
		       ? copy(&reply->of[1], value, 32)
		       : -1;
}

int reply_push(
	const struct resp *reply, enum push *push, const struct resp **bytes)
{
	*bytes = NULL;
	/* An older server answers a PING that came before the subscription. */
	*push = PUSH_PONG;
	if (resp_is(reply, "pong") ||
		(is_list(reply, 1) && resp_is(&reply->of[0], "pong")))
		return 0;
	if (!is_list(reply, 3))
		return -1;
	*push = PUSH_SUBSCRIBED;
	if (resp_is(&reply->of[0], "subscribe"))
		return 0;
	*push = PUSH_MESSAGE;
	if (!resp_is(&reply->of[0], "message") || !is_text(&reply->of[2]))
		return -1;
	*bytes = &reply->of[2];
	return 0;
}
