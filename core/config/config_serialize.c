/* SPDX-License-Identifier: MPL-2.0 */

/* The content of a configuration file, as bytes. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config_listeners.h"
#include "config/config_serialize.h"
#include "config/options.h"

/* The first number of a record. */
enum record { PROBLEM = 1, SECTION, VALUE, END };

static void flush(struct config_serializer *out)
{
	size_t done = 0;

	while (done < out->len && !out->failed) {
		ssize_t n = write(out->fd, out->bytes + done, out->len - done);

		if (n < 0 && errno != EINTR)
			out->failed = true;
		if (n > 0)
			done += (size_t)n;
	}
	out->len = 0;
}

static void put(struct config_serializer *out, const void *bytes, size_t len)
{
	const unsigned char *from = bytes;

	while (len > 0) {
		size_t room = sizeof(out->bytes) - out->len;
		size_t some = len < room ? len : room;

		memcpy(out->bytes + out->len, from, some);
		out->len += some;
		from += some;
		len -= some;
		if (out->len == sizeof(out->bytes))
			flush(out);
	}
}

static void put_number(struct config_serializer *out, size_t number)
{
	put(out, &number, sizeof(number));
}

/* With its final NUL. */
static void put_text(struct config_serializer *out, const char *text)
{
	size_t len = strlen(text) + 1;

	put_number(out, len);
	put(out, text, len);
}

void config_serialize_problem(
	enum relay_level level, const char *text, void *arg)
{
	put_number(arg, PROBLEM);
	put_number(arg, level);
	put_text(arg, text);
}

void config_serialize_section(struct config_serializer *out, size_t index,
	const struct config_section *section)
{
	put_number(out, SECTION);
	put_number(out, index);
	put_number(out, section->required);
	put_number(out, section->flawed);
	put_number(out, section->unchecked);
	put_text(out, section->title ? section->title : "");
}

void config_serialize_value(struct config_serializer *out, size_t section,
	size_t option, const char *origin, char *const *items, size_t count)
{
	put_number(out, VALUE);
	put_number(out, section);
	put_number(out, option);
	put_text(out, origin);
	put_number(out, items != NULL);
	put_number(out, count);
	for (size_t i = 0; items && i < count; i++)
		put_text(out, items[i]);
}

int config_serialize_end(struct config_serializer *out, bool good)
{
	put_number(out, END);
	put_number(out, good);
	flush(out);
	return out->failed ? -1 : 0;
}

/* Reading the bytes, in the parent. */

struct config_serial_in {
	unsigned char *bytes;
	size_t len, at;
	bool broken; /* something was missing */
	struct config_section *sections;
	size_t count;
	config_report_fn *report;
	void *arg;
	bool good; /* no error so far */
};

static size_t get_number(struct config_serial_in *flat)
{
	size_t number = 0;

	if (flat->broken || flat->len - flat->at < sizeof(number)) {
		flat->broken = true;
		return 0;
	}
	memcpy(&number, flat->bytes + flat->at, sizeof(number));
	flat->at += sizeof(number);
	return number;
}

/* "" if it is missing; borrowed. */
static char *get_text(struct config_serial_in *flat)
{
	static char nothing[] = "";
	size_t len = get_number(flat);
	char *text = (char *)flat->bytes + flat->at;

	if (flat->broken || len == 0 || len > flat->len - flat->at ||
		text[len - 1] != '\0') {
		flat->broken = true;
		return nothing;
	}
	flat->at += len;
	return text;
}

static struct config_section *get_section(struct config_serial_in *flat)
{
	size_t i = get_number(flat);

	if (flat->broken || i >= flat->count) {
		flat->broken = true;
		return NULL;
	}
	return &flat->sections[i];
}

static void fail(struct config_serial_in *flat, const char *text)
{
	flat->good = false;
	flat->report(RELAY_ERROR, text, flat->arg);
}

static void take_problem(struct config_serial_in *flat)
{
	size_t level = get_number(flat);
	const char *text = get_text(flat);

	if (flat->broken)
		return;
	if (level == RELAY_ERROR)
		fail(flat, text);
	else
		flat->report((enum relay_level)level, text, flat->arg);
}

/* What is sent of a place that stays free is lost, after an error. */
static void take_title(struct config_serial_in *flat,
	struct config_section *place, const char *title)
{
	struct relay_err err;

	if (config_listener_open(place, title, &err) != 0)
		fail(flat, err.text);
}

static void take_section(struct config_serial_in *flat)
{
	struct config_section *section = get_section(flat);
	bool required = get_number(flat) != 0;
	bool flawed = get_number(flat) != 0;
	bool unchecked = get_number(flat) != 0;
	const char *title = get_text(flat);

	if (!section || (title[0] && (!section->listener || section->title)))
		flat->broken = true;
	if (flat->broken)
		return;
	if (section->listener)
		take_title(flat, section, title);
	section->required = required;
	section->flawed |= flawed;
	section->unchecked = unchecked;
}

/* Stores values that the child found valid: only lack of memory can make it
 * fail. */
static void store(struct config_serial_in *flat, struct config_section *section,
	const struct relay_option *option, const char *const *items,
	size_t count)
{
	struct relay_err err;
	int result;

	if (option->type == RELAY_LIST)
		result = option_parse_items(
			option, items, count, section->values, &err);
	else
		result = option_parse(option, count ? items[0] : "",
			OPTION_FROM_FILE, section->values, &err);
	if (result == 0)
		return;
	section->flawed = true;
	fail(flat, err.text);
}

static void take_items(struct config_serial_in *flat,
	struct config_section *section, const struct relay_option *option)
{
	size_t count = get_number(flat);
	const char **items;

	/* Each item takes some bytes, so this also bounds count. */
	if (count > flat->len - flat->at)
		flat->broken = true;
	if (flat->broken)
		return;
	items = calloc(count + 1, sizeof(*items));
	if (!items) {
		fail(flat, "out of memory");
		flat->broken = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		items[i] = get_text(flat);
	if (!flat->broken)
		store(flat, section, option, items, count);
	free(items);
}

static void take_value(struct config_serial_in *flat)
{
	struct config_section *section = get_section(flat);
	size_t i = get_number(flat);
	const char *text = get_text(flat);
	bool given = get_number(flat) != 0;
	char *origin;

	if (!section || i >= section->count)
		flat->broken = true;
	if (flat->broken)
		return;
	origin = strdup(text);
	if (!origin)
		fail(flat, "out of memory");
	free(section->origins[i]);
	section->origins[i] = origin;
	if (given)
		take_items(flat, section, &section->options[i]);
	else
		(void)get_number(flat);
}

int config_deserialize(unsigned char *bytes, size_t len,
	struct config_section *sections, size_t n, config_report_fn *report,
	void *arg)
{
	struct config_serial_in flat = {.bytes = bytes,
		.len = len,
		.sections = sections,
		.count = n,
		.report = report,
		.arg = arg,
		.good = true};
	bool complete = false;

	while (!complete && !flat.broken) {
		switch (get_number(&flat)) {
		case PROBLEM:
			take_problem(&flat);
			break;
		case SECTION:
			take_section(&flat);
			break;
		case VALUE:
			take_value(&flat);
			break;
		case END:
			flat.good &= get_number(&flat) != 0;
			complete = !flat.broken && flat.at == len;
			flat.broken |= !complete;
			break;
		default:
			flat.broken = true;
			break;
		}
	}
	if (flat.broken && flat.good)
		fail(&flat, "what was read of the configuration is incomplete");
	return flat.good ? 0 : -1;
}
