/* SPDX-License-Identifier: MPL-2.0 */

/* Stores the meter in a file, replaced atomically. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <strelaysrv/file.h>

#include "state.h"

#define SHARED    "shared "
#define HEAD      "strelaysrv quota 1"
#define SIZE_MOST (4096 + NAMES_MOST * LINE_MOST)
/* "name NAME BYTES" */
#define LINE_MOST 64

static const char *const names_of[METERS] = {
	[METER_DAY] = "day",
	[METER_MONTH] = "month",
};

/* The lines after those of the periods. */
static int parse_names(char *text, struct names *names)
{
	char name[TOKEN_NAME_TEXT], *end, rest;
	int64_t relayed;

	for (; *text; text = end + 1) {
		end = strchr(text, '\n');
		if (!end)
			return -1;
		*end = '\0';
		if (sscanf(text, "name %32s %" SCNd64 " %c", name, &relayed,
			    &rest) != 2 ||
			!token_name_is_valid(name, strlen(name)) ||
			relayed < 0 || relayed > INT64_MAX / 4 ||
			names_add(names, name, relayed) != relayed)
			return -1;
	}
	return 0;
}

static int parse_id(const char *text, uint8_t id[SELF_LEN])
{
	if (strlen(text) != 2 * SELF_LEN ||
		strspn(text, "0123456789abcdef") != 2 * SELF_LEN)
		return -1;
	for (int i = 0; i < SELF_LEN; i++)
		if (sscanf(text + 2 * i, "%2" SCNx8, &id[i]) != 1)
			return -1;
	return 0;
}

/* The line "shared ID NODE DAY MONTH", which may be missing.  0, or -1. */
static int parse_shared(char **text, struct meter *meter, struct self *self)
{
	char id[2 * SELF_LEN + 2], *end = strchr(*text, '\n'), rest;
	int64_t *others = meter->others;

	if (strncmp(*text, SHARED, sizeof(SHARED) - 1) != 0)
		return 0;
	if (!end)
		return -1;
	*end = '\0';
	_Static_assert(SELF_LEN == 16 && SELF_NAME == 64, "widths below");
	if (sscanf(*text + sizeof(SHARED) - 1,
		    "%33s %63s %" SCNd64 " %" SCNd64 " %c", id, self->name,
		    &others[METER_DAY], &others[METER_MONTH], &rest) != 4 ||
		parse_id(id, self->id) != 0)
		return -1;
	for (int i = 0; i < METERS; i++)
		if (others[i] < 0 || others[i] > INT64_MAX / 4)
			return -1;
	*text = end + 1;
	return 0;
}

static int parse(
	char *text, struct meter *meter, struct names *names, struct self *self)
{
	char name[16], *end, rest;
	int64_t begin, relayed;

	if (strncmp(text, HEAD "\n", sizeof(HEAD)) != 0)
		return -1;
	text += sizeof(HEAD);
	for (int i = 0; i < METERS; i++) {
		end = strchr(text, '\n');
		/* Without the line end the number may be incomplete. */
		if (!end)
			return -1;
		*end = '\0';
		if (sscanf(text, "%15s %" SCNd64 " %" SCNd64 " %c", name,
			    &begin, &relayed, &rest) != 3 ||
			strcmp(name, names_of[i]) != 0 || begin < 0 ||
			relayed < 0 || relayed > INT64_MAX / 4)
			return -1;
		meter->begin_s[i] = begin;
		meter->relayed[i] = relayed;
		text = end + 1;
	}
	names->begin_s = meter->begin_s[METER_MONTH];
	return parse_shared(&text, meter, self) == 0 ? parse_names(text, names)
						     : -1;
}

int state_read(const char *path, struct meter *meter, struct names *names,
	struct self *self, struct relay_err *err)
{
	struct meter found = {0};
	struct names used = {0};
	struct self who = {.name = ""};
	struct relay_file file;
	int result;

	if (!state_exists(path))
		return STATE_MISSING;
	result = relay_file_read(path, SIZE_MOST, &file, err);
	if (result == 0 && strcmp(file.text, STATE_NEW) == 0)
		result = STATE_BEGIN;
	else if (result == 0 && parse(file.text, &found, &used, &who) != 0)
		result = relay_fail(err,
			"%.150s is no quota state; write the word new into it "
			"to begin at 0",
			path);
	relay_file_free(&file);
	if (result == 0) {
		*meter = found;
		*names = used;
		*self = who;
	} else {
		names_free(&used);
	}
	return result;
}

bool state_exists(const char *path)
{
	struct stat st;

	if (relay_file_stat(path, &st) == 0 || errno != ENOENT)
		return true;
	/* A link that leads nowhere may lead to a volume that is not mounted.
	 */
	return lstat(path, &st) == 0;
}

static int shared_line(char *text, size_t room, const struct meter *meter,
	const struct self *self)
{
	int len = snprintf(text, room, SHARED);

	for (int i = 0; i < SELF_LEN; i++)
		len += snprintf(text + len, room - (size_t)len, "%02x",
			(unsigned)self->id[i]);
	return len + snprintf(text + len, room - (size_t)len,
			     " %s %" PRId64 " %" PRId64 "\n", self->name,
			     meter->others[METER_DAY],
			     meter->others[METER_MONTH]);
}

int state_write(const char *path, const struct meter *meter,
	const struct names *names, const struct self *self,
	struct relay_err *err)
{
	size_t room = 512 + names->count * LINE_MOST;
	char *text = malloc(room);
	int len, result;

	if (!text)
		return relay_fail(err, "out of memory");
	len = snprintf(text, room,
		HEAD "\n%s %" PRId64 " %" PRId64 "\n%s %" PRId64 " %" PRId64
		     "\n",
		names_of[METER_DAY], meter->begin_s[METER_DAY],
		meter->relayed[METER_DAY], names_of[METER_MONTH],
		meter->begin_s[METER_MONTH], meter->relayed[METER_MONTH]);
	if (self->name[0])
		len += shared_line(text + len, room - (size_t)len, meter, self);
	for (size_t i = 0; i < names->count; i++)
		if (names->list[i].relayed > 0)
			len += snprintf(text + len, room - (size_t)len,
				"name %s %" PRId64 "\n", names->list[i].name,
				names->list[i].relayed);
	result = relay_file_replace(path, text, (size_t)len, 0644, err);
	free(text);
	return result;
}
