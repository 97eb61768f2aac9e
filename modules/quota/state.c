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

static int parse(char *text, struct meter *meter, struct names *names)
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
	return parse_names(text, names);
}

int state_read(const char *path, struct meter *meter, struct names *names,
	struct relay_err *err)
{
	struct meter found = {0};
	struct names used = {0};
	struct relay_file file;
	int result;

	if (!state_exists(path))
		return STATE_MISSING;
	result = relay_file_read(path, SIZE_MOST, &file, err);
	if (result == 0 && strcmp(file.text, STATE_NEW) == 0)
		result = STATE_BEGIN;
	else if (result == 0 && parse(file.text, &found, &used) != 0)
		result = relay_fail(err,
			"%.150s is no quota state; write the word new into it "
			"to begin at 0",
			path);
	relay_file_free(&file);
	if (result == 0) {
		*meter = found;
		*names = used;
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

int state_write(const char *path, const struct meter *meter,
	const struct names *names, struct relay_err *err)
{
	size_t room = 256 + names->count * LINE_MOST;
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
	for (size_t i = 0; i < names->count; i++)
		if (names->list[i].relayed > 0)
			len += snprintf(text + len, room - (size_t)len,
				"name %s %" PRId64 "\n", names->list[i].name,
				names->list[i].relayed);
	result = relay_file_replace(path, text, (size_t)len, 0644, err);
	free(text);
	return result;
}
