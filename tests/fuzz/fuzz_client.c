/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the client library's parsers of data from relays and pools: URIs, HTTP
 * answers, lists of relays, responses and invitations.
 */

#include <netinet/in.h>

#include "candidates.h"
#include "client_uri.h"
#include "relay/messages/frame.h"
#include "fuzz.h"
#include "http_answer.h"
#include "invitation.h"

static void try_uri(const char *text)
{
	char place[CLIENT_PLACE];
	struct client_uri uri;
	struct relay_err err;

	(void)client_uri_parse_web(text, &uri, &err);
	if (client_uri_parse(text, &uri, &err))
		return;
	FUZZ_CHECK(strlen(text) <= CLIENT_URI_MAX);
	FUZZ_CHECK(strlen(uri.host) <= CLIENT_HOST_MAX && uri.port > 0);
	FUZZ_CHECK(strlen(uri.token) <= CLIENT_URI_TOKEN_MAX);
	FUZZ_CHECK(uri.kind == CLIENT_URI_RELAY || uri.target[0] == '/');
	client_uri_place(&uri, place);
	FUZZ_CHECK(strlen(place) < sizeof(place));
}

static void fill(void *buf, size_t len, void *arg)
{
	(void)arg;
	memset(buf, 7, len);
}

static void try_list(const char *json, size_t len)
{
	struct candidates list;
	struct relay_err err;

	if (candidates_parse(json, len, &list, &err)) {
		FUZZ_CHECK(list.all == NULL && list.count == 0);
		return;
	}
	FUZZ_CHECK(list.count > 0 && list.count <= CANDIDATES_MAX);
	candidates_order(&list, fill, NULL);
	candidates_finish(&list);
}

/* The answer in pieces of `step` bytes. */
static enum http_state try_pieces(
	char *text, size_t size, size_t step, struct http_answer *answer)
{
	enum http_state state = HTTP_MORE;
	struct relay_err err;

	memset(answer, 0, sizeof(*answer));
	for (size_t len = step; len < size && state == HTTP_MORE; len += step)
		state = http_answer_read(answer, text, len, false, &err);
	return state == HTTP_MORE
		       ? http_answer_read(answer, text, size, true, &err)
		       : state;
}

static void check_answer(
	const struct http_answer *answer, const char *text, size_t size)
{
	FUZZ_CHECK(answer->status >= 100 && answer->status < 600);
	FUZZ_CHECK(answer->body <= size);
	FUZZ_CHECK(answer->body_len <= size - answer->body);
	FUZZ_CHECK(answer->location + answer->location_len <= answer->body);
	try_list(text + answer->body, answer->body_len);
}

/* Checks that an answer gives the same result in one piece and in several. */
static void try_answer(const uint8_t *data, size_t size)
{
	char *whole = fuzz_text(data, size), *parts = fuzz_text(data, size);
	struct http_answer one, other;
	enum http_state state = try_pieces(whole, size, size + 1, &one);

	FUZZ_CHECK(state != HTTP_MORE);
	FUZZ_CHECK(try_pieces(parts, size, 7, &other) == state);
	if (state == HTTP_DONE) {
		check_answer(&one, whole, size);
		check_answer(&other, parts, size);
		/* Bytes after the end may have arrived in the same piece, or
		 * not. */
		FUZZ_CHECK(one.status == other.status);
		FUZZ_CHECK(one.body_len == other.body_len);
		FUZZ_CHECK(memcmp(whole + one.body, parts + other.body,
				   one.body_len) == 0);
	}
	free(whole);
	free(parts);
}

static void check_printable(const char *text)
{
	for (; *text; text++)
		FUZZ_CHECK(*text >= ' ' && *text <= '~');
}

static void try_body(const uint8_t *data, size_t size)
{
	struct relay_client_invitation invitation;
	struct relay_client_error why;
	struct sockaddr_storage own = {.ss_family = AF_INET};
	struct relay_err err;
	uint8_t *body = malloc(size ? size : 1);

	FUZZ_CHECK(body);
	if (size)
		memcpy(body, data, size);
	if (response_read(body, size, &why)) {
		FUZZ_CHECK(why.failure < RELAY_CLIENT_FAILURES);
		check_printable(why.text);
	}
	if (invitation_read(body, size, &own, sizeof(struct sockaddr_in),
		    &invitation, &err) == 0) {
		FUZZ_CHECK(invitation.key_len <= sizeof(invitation.key));
		FUZZ_CHECK(
			invitation.address_len == sizeof(struct sockaddr_in) ||
			invitation.address_len == sizeof(struct sockaddr_in6));
	}
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_uri(text);
	try_list(text, size);
	free(text);
	try_answer(data, size);
	try_body(data, size < FRAME_BODY_MAX ? size : FRAME_BODY_MAX);
	return 0;
}
