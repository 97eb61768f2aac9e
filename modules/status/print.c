/* SPDX-License-Identifier: MPL-2.0 */

/* A cJSON tree as Go's json.MarshalIndent prints it. */

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "print.h"

static int print_item(const cJSON *item, int depth, struct evbuffer *out);

static int print_text(const char *text, struct evbuffer *out)
{
	return evbuffer_add(out, text, strlen(text));
}

static int print_string(const char *text, struct evbuffer *out)
{
	cJSON *string = cJSON_CreateStringReference(text);
	char *escaped = string ? cJSON_PrintUnformatted(string) : NULL;
	int result = escaped ? print_text(escaped, out) : -1;

	cJSON_free(escaped);
	cJSON_Delete(string);
	return result;
}

static int print_indent(int depth, struct evbuffer *out)
{
	return evbuffer_add_printf(out, "\n%*s", depth * 4, "") < 0 ? -1 : 0;
}

static const cJSON *next_by_key(const cJSON *object, const cJSON *last)
{
	const cJSON *next = NULL, *child;

	/* Quadratic, but objects have about two dozen keys. */
	for (child = object->child; child; child = child->next) {
		if (last && strcmp(child->string, last->string) <= 0)
			continue;
		if (!next || strcmp(child->string, next->string) < 0)
			next = child;
	}
	return next;
}

static int print_members(const cJSON *object, int depth, struct evbuffer *out)
{
	const cJSON *m = next_by_key(object, NULL), *next;

	for (; m; m = next) {
		next = next_by_key(object, m);
		if (print_indent(depth, out) || print_string(m->string, out) ||
			print_text(": ", out) || print_item(m, depth, out) ||
			(next && print_text(",", out)))
			return -1;
	}
	return 0;
}

static int print_elements(const cJSON *array, int depth, struct evbuffer *out)
{
	for (const cJSON *e = array->child; e; e = e->next) {
		if (print_indent(depth, out) || print_item(e, depth, out) ||
			(e->next && print_text(",", out)))
			return -1;
	}
	return 0;
}

static int print_item(const cJSON *item, int depth, struct evbuffer *out)
{
	if (cJSON_IsObject(item)) {
		if (print_text("{", out) ||
			print_members(item, depth + 1, out) ||
			(item->child && print_indent(depth, out)))
			return -1;
		return print_text("}", out);
	}
	if (cJSON_IsArray(item)) {
		if (print_text("[", out) ||
			print_elements(item, depth + 1, out) ||
			(item->child && print_indent(depth, out)))
			return -1;
		return print_text("]", out);
	}
	if (cJSON_IsString(item))
		return print_string(item->valuestring, out);
	if (cJSON_IsBool(item))
		return print_text(cJSON_IsTrue(item) ? "true" : "false", out);
	return print_text(cJSON_IsRaw(item) ? item->valuestring : "null", out);
}

int print_json(const cJSON *item, struct evbuffer *out)
{
	return print_item(item, 0, out);
}
