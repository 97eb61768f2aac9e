/* SPDX-License-Identifier: MPL-2.0 */

/* The answer at /endpoint. */

#include <string.h>

#include <cjson/cJSON.h>
#include <event2/buffer.h>

#include "endpoint/list.h"
#include "endpoint/own.h"

static int add(cJSON *relays, const char *uri)
{
	cJSON *relay = cJSON_CreateObject();

	if (relay && cJSON_AddStringToObject(relay, "url", uri) &&
		cJSON_AddItemToArray(relays, relay))
		return 0;
	cJSON_Delete(relay);
	return -1;
}

bool list_has(const struct list *list, const struct other *other)
{
	return list->kind == LIST_LAST_RESORT ||
	       other->fitness.state != FITNESS_FAILS;
}

static unsigned count_fit(struct other *const others[OTHERS_MOST])
{
	unsigned count = 0;

	for (size_t i = 0; i < OTHERS_MOST && others[i]; i++)
		count += others[i]->fitness.state != FITNESS_FAILS;
	return count;
}

static int fill(const struct state *state, struct list *list, cJSON *relays)
{
	if (list->own && add(relays, list->of_uri) != 0)
		return -1;
	list->count = list->own;
	for (size_t i = 0; i < OTHERS_MOST && state->others[i]; i++) {
		if (!list_has(list, state->others[i]))
			continue;
		if (add(relays, state->others[i]->text) != 0)
			return -1;
		list->count++;
	}
	return 0;
}

static char *write_list(const struct state *state, struct list *list)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *relays = root ? cJSON_AddArrayToObject(root, "relays") : NULL;
	char *text = NULL;

	if (relays && fill(state, list, relays) == 0)
		text = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	return text;
}

static bool is_current(const struct list *list, const struct state *state,
	const struct own *own)
{
	return list->text && list->of_version == state->version &&
	       list->own == (own->standing == OWN_LISTED) &&
	       (!list->own || strcmp(list->of_uri, own->uri) == 0);
}

int list_refresh(struct relay_ctx *cx, const struct own *own)
{
	struct state *state = state_of(cx);
	struct list made = {.own = own->standing == OWN_LISTED,
		.of_version = state->version};
	char *text;

	if (is_current(&state->list, state, own))
		return 0;
	memcpy(made.of_uri, own->uri, sizeof(made.of_uri));
	/* An empty list stops a client for ten minutes; a relay that fails may
	 * have come back, or answer others than this machine. */
	if (!made.own && count_fit(state->others) == 0)
		made.kind = state->others[0] ? LIST_LAST_RESORT : LIST_EMPTY;
	text = write_list(state, &made);
	if (!text)
		return -1;
	cJSON_free(state->list.text);
	made.text = text;
	made.len = strlen(text);
	state->list = made;
	return 0;
}

void list_answer(struct relay_ctx *cx, struct relay_http *http)
{
	const struct list *list = &state_of(cx)->list;
	struct own own;

	http->type = "application/json";
	own_look(cx, &own);
	/* An old list is better than none. */
	(void)list_refresh(cx, &own);
	if (!list->text || evbuffer_add(http->body, list->text, list->len) ||
		relay_http_header(http, "Cache-Control", "no-store")) {
		(void)evbuffer_drain(
			http->body, evbuffer_get_length(http->body));
		http->status = 500;
	}
}

static void tell_own(struct relay_ctx *cx, const struct own *own)
{
	struct state *state = state_of(cx);
	struct relay_log_kind *lines = &state->own_lines[own->standing];

	if (state->said_own == own->standing)
		return;
	state->said_own = own->standing;
	if (own->standing == OWN_LISTED)
		relay_log_seldom(
			cx, RELAY_NOTICE, lines, "this relay is listed again");
	else
		relay_log_seldom(cx, RELAY_NOTICE, lines,
			"this relay is not listed: %s", own_why(own));
}

static void tell_kind(struct relay_ctx *cx, enum list_kind kind)
{
	static const char *const what[LIST_KINDS] = {
		[LIST_USUAL] = "the list has relays that are fit again",
		[LIST_LAST_RESORT] = "no relay is left to list: those that "
				     "fail are listed",
		[LIST_EMPTY] = "the list is empty: clients come back after ten "
			       "minutes",
	};
	struct state *state = state_of(cx);

	if (state->said_list == kind)
		return;
	state->said_list = kind;
	relay_log_seldom(cx, kind == LIST_USUAL ? RELAY_NOTICE : RELAY_WARNING,
		&state->list_lines[kind], "%s", what[kind]);
}

void list_tell(struct relay_ctx *cx)
{
	struct own own;

	own_look(cx, &own);
	tell_own(cx, &own);
	if (list_refresh(cx, &own) == 0)
		tell_kind(cx, state_of(cx)->list.kind);
}

void list_free(struct list *list)
{
	cJSON_free(list->text);
	list->text = NULL;
}
