/* SPDX-License-Identifier: MPL-2.0 */

/* Banned devices, and the file that keeps them. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/file.h>

#include "bans.h"

/* The first line also has the number of bans, so that a cut shows. */
#define HEAD      "strelaysrv bans 1 "
#define LINE_MOST 100
#define SIZE_MOST (BANS_MOST * LINE_MOST)

void bans_free(struct bans *bans)
{
	free(bans->list);
	*bans = (struct bans){.list = NULL};
}

/* The first place whose ID is not before that one. */
static size_t place_of(const struct bans *bans, const uint8_t *id)
{
	size_t from = 0, to = bans->count;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (memcmp(bans->list[middle].id, id, RELAY_DEVICE_ID_LEN) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool is_at(const struct bans *bans, size_t place, const uint8_t *id)
{
	return place < bans->count &&
	       memcmp(bans->list[place].id, id, RELAY_DEVICE_ID_LEN) == 0;
}

static bool has_ended(const struct ban *ban, int64_t now_s)
{
	return ban->until_s && ban->until_s <= now_s;
}

const struct ban *bans_find(const struct bans *bans,
	const uint8_t id[RELAY_DEVICE_ID_LEN], int64_t now_s)
{
	size_t place = place_of(bans, id);

	return is_at(bans, place, id) && !has_ended(&bans->list[place], now_s)
		       ? &bans->list[place]
		       : NULL;
}

static int make_room(struct bans *bans, struct relay_err *err)
{
	size_t room = bans->room ? 2 * bans->room : 16;
	struct ban *list;

	if (bans->count == BANS_MOST)
		return relay_fail(
			err, "there are %d bans: end some", BANS_MOST);
	if (bans->count < bans->room)
		return 0;
	list = realloc(bans->list, room * sizeof(*list));
	if (!list)
		return relay_fail(err, "out of memory");
	bans->list = list;
	bans->room = room;
	return 0;
}

int bans_add(struct bans *bans, const struct ban *ban, struct relay_err *err)
{
	size_t place = place_of(bans, ban->id);

	if (!is_at(bans, place, ban->id)) {
		if (make_room(bans, err) != 0)
			return -1;
		memmove(bans->list + place + 1, bans->list + place,
			(bans->count - place) * sizeof(*bans->list));
		bans->count++;
	}
	bans->list[place] = *ban;
	return 0;
}

bool bans_remove(struct bans *bans, const uint8_t id[RELAY_DEVICE_ID_LEN])
{
	size_t place = place_of(bans, id);

	if (!is_at(bans, place, id))
		return false;
	bans->count--;
	memmove(bans->list + place, bans->list + place + 1,
		(bans->count - place) * sizeof(*bans->list));
	return true;
}

void bans_drop_ended(struct bans *bans, int64_t now_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < bans->count; i++)
		if (!has_ended(&bans->list[i], now_s))
			bans->list[kept++] = bans->list[i];
	bans->count = kept;
}

void bans_follow_clock(struct bans *bans, int64_t by_s)
{
	for (size_t i = 0; i < bans->count; i++)
		if (bans->list[i].made_here && bans->list[i].until_s)
			bans->list[i].until_s += by_s;
}

/* Without the line end a number may be incomplete. */
static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

static int parse_ban(struct bans *bans, const char *line, struct relay_err *err)
{
	struct ban ban = {.made_here = false};
	char id[RELAY_DEVICE_ID_TEXT], rest;

	_Static_assert(RELAY_DEVICE_ID_TEXT == 64, "is the width below");
	if (sscanf(line, "%63s %" SCNd64 " %c", id, &ban.until_s, &rest) != 2 ||
		ban.until_s < 0 || relay_device_id_parse(id, ban.id, err) != 0)
		return -1;
	return bans_add(bans, &ban, err);
}

static int parse(struct bans *bans, char *text, struct relay_err *err)
{
	const char *line = next_line(&text);
	size_t count;
	char rest;

	if (!line || strncmp(line, HEAD, sizeof(HEAD) - 1) != 0 ||
		sscanf(line + sizeof(HEAD) - 1, "%zu%c", &count, &rest) != 1)
		return -1;
	while (*text) {
		line = next_line(&text);
		if (!line || parse_ban(bans, line, err) != 0)
			return -1;
	}
	return bans->count == count ? 0 : -1;
}

int bans_parse(
	struct bans *bans, char *text, const char *path, struct relay_err *err)
{
	struct relay_err why;

	*bans = (struct bans){.list = NULL};
	if (strcmp(text, BANS_NEW) == 0 || parse(bans, text, &why) == 0)
		return 0;
	bans_free(bans);
	return relay_fail(err,
		"bans: %.150s is no whole list of bans; write the word new "
		"into it to begin without bans",
		path);
}

int bans_read(struct bans *bans, const char *path, struct relay_err *err)
{
	struct relay_file file = {.text = NULL};
	int result = relay_file_read(path, SIZE_MOST, &file, err);

	if (result == 0)
		result = bans_parse(bans, file.text, path, err);
	relay_file_free(&file);
	return result == 0 ? relay_file_try(path, err) : -1;
}

char *bans_text(const struct bans *bans, size_t *len)
{
	char *text = NULL, id[RELAY_DEVICE_ID_TEXT];
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	(void)fprintf(out, HEAD "%zu\n", bans->count);
	for (size_t i = 0; i < bans->count; i++) {
		relay_device_id_format(bans->list[i].id, id);
		(void)fprintf(
			out, "%s %" PRId64 "\n", id, bans->list[i].until_s);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
