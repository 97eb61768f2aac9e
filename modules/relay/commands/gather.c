/* SPDX-License-Identifier: MPL-2.0 */

/* Waits for a listing, and finds devices and sessions in it. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "relay/commands/gather.h"
#include "shared/id_begins.h"

/* A worker that hangs does not answer. */
#define PATIENCE_MS 10000
/* How often to look although nothing has come. */
#define LOOK_MS 200

enum gathered gather(struct relay_ctx *cx, struct relay_answer *to)
{
	struct gather *state = to->state;
	struct relay_err err;

	if (!state->begun) {
		if (listing_begin(&state->listing, cx, to, &err) != 0) {
			to->fail(to, RELAY_COMMAND_FAILED, "%s", err.text);
			return GATHERED_FAILED;
		}
		state->begun = true;
		state->began_ms = relay_now_ms(cx);
	}
	if (listing_complete(&state->listing))
		return GATHERED_ALL;
	if (relay_now_ms(cx) - state->began_ms > PATIENCE_MS) {
		to->fail(to, RELAY_COMMAND_FAILED,
			"the workers do not answer: %zu of %zu rows came",
			state->listing.answered, state->listing.target_count);
		return GATHERED_FAILED;
	}
	to->wait_ms = LOOK_MS;
	return GATHERED_LATER;
}

void gather_closed(struct relay_ctx *cx, struct relay_answer *to)
{
	struct gather *state = to->state;

	(void)cx;
	if (state->begun)
		listing_free(&state->listing);
	state->begun = false;
}

void session_text(const struct session_row *row, char out[SESSION_TEXT])
{
	(void)snprintf(
		out, SESSION_TEXT, "%d.%" PRIu64, row->worker, row->session);
}

void found_id(const uint8_t *id, const char *text, const uint8_t **one,
	unsigned *others)
{
	if ((*one && memcmp(*one, id, ID_LEN) == 0) || !id_begins(id, text))
		return;
	if (*one)
		++*others;
	else
		*one = id;
}

void fail_id(bool several, const char *text, struct relay_err *err)
{
	if (several)
		(void)relay_fail(err,
			"several devices begin with \"%.80s\": write more of "
			"the ID",
			text);
	else
		(void)relay_fail(err,
			"no device that is here begins with \"%.80s\"%s", text,
			id_can_begin(text) ? "" : ": " ID_WORDS);
}

const uint8_t *gather_device(
	const struct listing *listing, const char *text, struct relay_err *err)
{
	const uint8_t *one = NULL;
	unsigned others = 0;

	for (size_t i = 0; i < listing->device_count; i++)
		found_id(listing->devices[i].id, text, &one, &others);
	for (size_t i = 0; i < listing->session_count; i++)
		for (int side = 0; side < 2; side++)
			if (listing->sessions[i].known[side])
				found_id(listing->sessions[i].id[side], text,
					&one, &others);
	if (one && !others)
		return one;
	if (strchr(text, '.'))
		(void)relay_fail(err,
			"no session that is here has the number \"%.80s\"",
			text);
	else
		fail_id(one != NULL, text, err);
	return NULL;
}

const struct session_row *gather_session(
	const struct listing *listing, const char *text)
{
	char number[SESSION_TEXT];

	for (size_t i = 0; i < listing->session_count; i++) {
		session_text(&listing->sessions[i], number);
		if (strcmp(number, text) == 0)
			return &listing->sessions[i];
	}
	return NULL;
}

bool gather_address(const char *word, char out[INET6_ADDRSTRLEN])
{
	uint8_t bytes[16];
	int family = strchr(word, ':') ? AF_INET6 : AF_INET;

	return inet_pton(family, word, bytes) == 1 &&
	       inet_ntop(family, bytes, out, INET6_ADDRSTRLEN);
}
