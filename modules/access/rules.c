/* SPDX-License-Identifier: MPL-2.0 */

/* A list of devices and addresses, from options and files. */

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "shared/guard_file.h"
#include "rules.h"

#define LINE_MOST 510 /* bytes */

static int add_id(struct rules *rules, const uint8_t *id, struct relay_err *err)
{
	if (rules->id_count == rules->id_room) {
		size_t room = rules->id_room ? 2 * rules->id_room : 8;
		void *ids = realloc(rules->ids, room * sizeof(*rules->ids));

		if (!ids)
			return relay_fail(err, "out of memory");
		rules->ids = ids;
		rules->id_room = room;
	}
	memcpy(rules->ids[rules->id_count++], id, RELAY_DEVICE_ID_LEN);
	return 0;
}

/* Only addresses contain dots, colons or slashes; only IDs are so long. */
static bool looks_like_id(const char *text)
{
	return strlen(text) > 45 && !strpbrk(text, ".:/");
}

/* Whether a message may print an entry that is wrong: anything else may be a
 * token that is in the wrong list. */
static bool looks_like_address(const char *text)
{
	return strpbrk(text, ".:/") &&
	       !text[strspn(text, "0123456789abcdefABCDEF.:/-")];
}

static int add_address(
	struct rules *rules, const char *text, struct relay_err *err)
{
	struct range range;

	if (range_read(text, &range, err) != 0)
		return looks_like_address(text)
			       ? -1
			       : relay_fail(err,
					 "this is no address; 192.0.2.1, "
					 "192.0.2.0/24 and 2001:db8::/32 are "
					 "right");
	return ranges_add(&rules->ranges, &range) == 0
		       ? 0
		       : relay_fail(err, "out of memory");
}

static int add_entry(struct rules *rules, const char *text, unsigned kinds,
	struct relay_err *err)
{
	uint8_t id[RELAY_DEVICE_ID_LEN];

	if (!(kinds & RULES_ADDRESSES) || looks_like_id(text)) {
		if (!(kinds & RULES_IDS))
			return relay_fail(err,
				"this list has addresses only, no device IDs");
		if (relay_device_id_parse(text, id, err) != 0)
			return -1;
		return add_id(rules, id, err);
	}
	if ((kinds & RULES_IDS) && !strpbrk(text, ".:/"))
		return relay_fail(err,
			"this is neither a device ID nor an address; "
			"192.0.2.1, 192.0.2.0/24 and 2001:db8::/32 are right");
	return add_address(rules, text, err);
}

/* Removes the comment and surrounding space. */
static char *strip(char *line)
{
	char *end;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t");
	end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return line;
}

/* An ID has check digits, but a truncated address may be another valid one. */
static bool is_whole(const char *text)
{
	uint8_t id[RELAY_DEVICE_ID_LEN];

	return looks_like_id(text) &&
	       relay_device_id_parse(text, id, NULL) == 0;
}

static int add_line(struct rules *rules, struct guard_file *file, char *line,
	bool ended, unsigned kinds, struct relay_err *err)
{
	char *text;

	if (strlen(line) > LINE_MOST)
		return relay_fail(
			err, "the line is longer than %d bytes", LINE_MOST);
	if (guard_file_announce(file, line, err) != 0)
		return -1;
	text = strip(line);
	if (!ended && !is_whole(text))
		return relay_fail(err,
			"the last line has no end, so the file may be "
			"half-written; end each line, write to a new file and "
			"rename it");
	rules->entries += *text != '\0';
	return *text ? add_entry(rules, text, kinds, err) : 0;
}

static int add_file(struct rules *rules, const char *path, unsigned kinds,
	struct relay_err *err)
{
	struct guard_file file;
	struct relay_err why;
	int result = guard_file_read(&file, path, err);
	size_t before = rules->entries;
	bool ended;
	char *line;

	while (result == 0 && (line = guard_file_line(&file, &ended)) != NULL)
		if (add_line(rules, &file, line, ended, kinds, &why) != 0)
			result = relay_fail(err, "%.100s:%u: %.140s", path,
				file.line, why.text);
	if (result == 0)
		result = guard_file_check(
			&file, path, rules->entries - before, err);
	if (result == 0)
		result = watch_note(&rules->watch, path, &file, err);
	rules->uncounted |= file.counts == 0;
	guard_file_free(&file);
	return result;
}

/* IDs are hashes: eight bytes nearly always decide. */
static int compare(const void *a, const void *b)
{
	uint64_t first_a, first_b;

	memcpy(&first_a, a, sizeof(first_a));
	memcpy(&first_b, b, sizeof(first_b));
	if (first_a != first_b)
		return be64toh(first_a) < be64toh(first_b) ? -1 : 1;
	return memcmp(a, b, RELAY_DEVICE_ID_LEN);
}

static bool in_order(const struct rules *rules)
{
	for (size_t i = 1; i < rules->id_count; i++)
		if (compare(rules->ids[i - 1], rules->ids[i]) > 0)
			return false;
	return true;
}

void rules_look(const char *const *entries)
{
	for (; *entries; entries++)
		if (**entries == '@')
			relay_file_look(*entries + 1);
}

int rules_read(struct rules *rules, const char *option,
	const char *const *entries, unsigned kinds, struct relay_err *err)
{
	struct relay_err why;

	*rules = (struct rules){0};
	for (size_t i = 0; entries[i]; i++) {
		const char *entry = entries[i];
		int result = entry[0] == '@'
				     ? add_file(rules, entry + 1, kinds, &why)
				     : add_entry(rules, entry, kinds, &why);

		if (result != 0 && entry[0] != '@')
			return relay_fail(err, "%s: entry %zu: %.210s", option,
				i + 1, why.text);
		if (result != 0)
			return relay_fail(err, "%s: %.220s", option, why.text);
	}
	if (kinds & RULES_NOT_NONE && entries[0] && rules_empty(rules))
		return relay_fail(err,
			"%s: there is no entry in %.150s, which would let "
			"everybody in",
			option, entries[0] + 1);
	if (!in_order(rules))
		qsort(rules->ids, rules->id_count, sizeof(*rules->ids),
			compare);
	ranges_settle(&rules->ranges);
	return 0;
}

void rules_free(struct rules *rules)
{
	free(rules->ids);
	ranges_free(&rules->ranges);
	watch_free(&rules->watch);
	*rules = (struct rules){0};
}

bool rules_empty(const struct rules *rules)
{
	return rules_count(rules) == 0;
}

size_t rules_count(const struct rules *rules)
{
	return rules->id_count + rules->ranges.count;
}

bool rules_match(const struct rules *rules, const uint8_t *id,
	const uint8_t address[RANGE_BYTES])
{
	if (ranges_have(&rules->ranges, address))
		return true;
	return id && rules->id_count &&
	       bsearch(id, rules->ids, rules->id_count, sizeof(*rules->ids),
		       compare);
}
