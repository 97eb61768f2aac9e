/* SPDX-License-Identifier: MPL-2.0 */

/* What the endpoint has answered about a device. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/units.h>

#include "answer.h"

/* An answer is one object, and what it may contain besides is ignored. */
#define DEPTH_MOST  8
#define NUMBER_MOST 1e15
#define WEIGHT_MOST 1000
#define KEEP_MOST   (INT64_C(7) * 24 * 3600 * 1000) /* ms */
#define NS_PER_MS   1000000

/* cJSON reads a thousand levels, each of which takes room on the stack. */
static bool is_deep(const char *text)
{
	bool in_string = false;
	unsigned depth = 0;

	for (; *text; text++) {
		if (in_string && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			in_string = !in_string;
		else if (!in_string && (*text == '{' || *text == '['))
			depth++;
		else if (!in_string && depth && (*text == '}' || *text == ']'))
			depth--;
		if (depth > DEPTH_MOST)
			return true;
	}
	return false;
}

/* NULL: it is not one whole object.  A byte 0 in a text would hide its rest. */
static cJSON *parse(const char *text, size_t len)
{
	cJSON *tree;

	if (strlen(text) != len || strstr(text, "\\u0000") || is_deep(text))
		return NULL;
	tree = cJSON_ParseWithLengthOpts(text, len + 1, NULL, true);
	if (cJSON_IsObject(tree))
		return tree;
	cJSON_Delete(tree);
	return NULL;
}

/* A number, or a text with a unit.  0 or -1. */
static int read_amount(const cJSON *item,
	int (*read_text)(const char *, int64_t *, struct relay_err *),
	int64_t *out)
{
	if (cJSON_IsString(item))
		return read_text(item->valuestring, out, NULL) == 0 && *out >= 0
			       ? 0
			       : -1;
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
		item->valuedouble > NUMBER_MOST)
		return -1;
	*out = (int64_t)item->valuedouble;
	return 0;
}

/* 0, or less than a byte, might mean "nothing is left", and might mean "without
 * a limit". */
static int read_limit(const cJSON *item,
	int (*read_text)(const char *, int64_t *, struct relay_err *),
	int64_t *out)
{
	return read_amount(item, read_text, out) == 0 && *out > 0 ? 0 : -1;
}

/* Rounded up: 0 is for this once. */
static int read_keep(const cJSON *item, int64_t *out)
{
	int64_t value;
	double ms;

	if (read_amount(item, relay_duration_parse, &value) != 0)
		return -1;
	if (cJSON_IsString(item)) {
		value = value / NS_PER_MS + (value % NS_PER_MS != 0);
	} else {
		ms = item->valuedouble * 1000;
		value = (int64_t)ms + (ms > (double)(int64_t)ms);
	}
	*out = value > KEEP_MOST ? KEEP_MOST : value;
	return 0;
}

static int read_weight(const cJSON *item, int64_t *out)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1) ||
		item->valuedouble > WEIGHT_MOST)
		return -1;
	*out = (int64_t)item->valuedouble;
	return 0;
}

static int read_allow(const cJSON *item, bool *out)
{
	if (!cJSON_IsBool(item))
		return -1;
	*out = cJSON_IsTrue(item);
	return 0;
}

static int read_reason(const cJSON *item, char out[ANSWER_REASON])
{
	if (!cJSON_IsString(item))
		return -1;
	(void)snprintf(out, ANSWER_REASON, "%s", item->valuestring);
	return 0;
}

enum field {
	FIELD_ALLOW,
	FIELD_REASON,
	FIELD_RATE,
	FIELD_WEIGHT,
	FIELD_QUOTA,
	FIELD_KEEP,
	FIELD_DEVICE,
	FIELDS
};

static const char *const names[FIELDS] = {
	[FIELD_ALLOW] = "allow",
	[FIELD_REASON] = "reason",
	[FIELD_RATE] = "rate",
	[FIELD_WEIGHT] = "weight",
	[FIELD_QUOTA] = "quota",
	[FIELD_KEEP] = "cache-for",
	[FIELD_DEVICE] = "device",
};

static enum field field_of(const char *name)
{
	enum field field = 0;

	while (field < FIELDS && strcmp(names[field], name) != 0)
		field++;
	return field;
}

static enum answer_fault read_field(const cJSON *item, enum field field,
	const uint8_t *device, struct answer *out)
{
	uint8_t named[RELAY_DEVICE_ID_LEN];
	int result = 0;

	switch (field) {
	case FIELD_ALLOW:
		result = read_allow(item, &out->allow);
		break;
	case FIELD_REASON:
		result = read_reason(item, out->reason);
		break;
	case FIELD_RATE:
		result = read_limit(item, relay_rate_parse, &out->rate);
		break;
	case FIELD_WEIGHT:
		result = read_weight(item, &out->weight);
		break;
	case FIELD_QUOTA:
		result = read_limit(item, relay_size_parse, &out->quota);
		break;
	case FIELD_KEEP:
		result = read_keep(item, &out->keep_ms);
		break;
	case FIELD_DEVICE:
		if (!cJSON_IsString(item) ||
			relay_device_id_parse(item->valuestring, named, NULL) !=
				0 ||
			memcmp(named, device, sizeof(named)) != 0)
			return ANSWER_OTHER_DEVICE;
		break;
	case FIELDS:
		break;
	}
	return result == 0 ? ANSWER_GOOD : ANSWER_UNREADABLE;
}

/* A limit that is not understood must not be left out, and of two values
 * nobody knows which one counts. */
static enum answer_fault read_own(
	const cJSON *tree, const uint8_t *device, struct answer *out)
{
	bool seen[FIELDS + 1] = {false};
	enum answer_fault fault;
	const cJSON *item;

	cJSON_ArrayForEach(item, tree)
	{
		enum field field = field_of(item->string);

		if (cJSON_IsNull(item))
			continue;
		if (field != FIELDS && seen[field])
			return ANSWER_UNREADABLE;
		seen[field] = true;
		fault = read_field(item, field, device, out);
		if (fault != ANSWER_GOOD)
			return fault;
	}
	return seen[FIELD_ALLOW] ? ANSWER_GOOD : ANSWER_UNREADABLE;
}

/* As derper, which is in Go, reads it: names in either case, and what is
 * missing is false. */
static enum answer_fault read_derper(const cJSON *tree, struct answer *out)
{
	const cJSON *item;
	bool seen = false;

	cJSON_ArrayForEach(item, tree)
	{
		if (strcasecmp(item->string, "Allow") != 0)
			continue;
		if (seen || read_allow(item, &out->allow) != 0)
			return ANSWER_UNREADABLE;
		seen = true;
	}
	return ANSWER_GOOD;
}

static enum answer_fault read_json(enum dialect dialect, const char *body,
	size_t len, const uint8_t *device, struct answer *out)
{
	enum answer_fault fault = ANSWER_UNREADABLE;
	char *text = malloc(len + 1);
	cJSON *tree;

	if (!text)
		return ANSWER_UNREADABLE;
	memcpy(text, body, len);
	text[len] = '\0';
	tree = parse(text, len);
	if (tree)
		fault = dialect == DIALECT_OWN ? read_own(tree, device, out)
					       : read_derper(tree, out);
	cJSON_Delete(tree);
	free(text);
	return fault;
}

static bool is_trouble(long status)
{
	return status >= 500 || status == 429;
}

enum answer_fault answer_read(enum dialect dialect, long status,
	const char *body, size_t len, const uint8_t *device, struct answer *out)
{
	static const char yes[] = "true";

	*out = (struct answer){.keep_ms = -1};
	if (status >= 300 && status < 400)
		return ANSWER_REDIRECT;
	/* iroh's relay refuses after any other answer. */
	if (dialect == DIALECT_IROH && status >= 200 && status < 500) {
		out->allow = status == 200 && len == sizeof(yes) - 1 &&
			     memcmp(body, yes, len) == 0;
		out->trouble = is_trouble(status);
		return ANSWER_GOOD;
	}
	/* So does derper; what a server's own trouble made counts once. */
	if (dialect == DIALECT_DERPER && status > 200) {
		out->keep_ms = status >= 500 ? 0 : -1;
		out->trouble = is_trouble(status);
		return ANSWER_GOOD;
	}
	/* What web services say to whoever may not. */
	if (dialect == DIALECT_OWN && status == 403)
		return ANSWER_GOOD;
	if (dialect == DIALECT_OWN && status >= 400 && status < 500 &&
		status != 429)
		return ANSWER_REJECTED;
	if (status != 200)
		return ANSWER_STATUS;
	if (len > ANSWER_BODY_MOST)
		return ANSWER_UNREADABLE;
	return read_json(dialect, body, len, device, out);
}
