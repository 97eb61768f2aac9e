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

static void try_answer(const uint8_t *data, size_t size, bool ended)
{
	struct http_answer answer;
	struct relay_err err;
	char *copy = fuzz_text(data, size);
	enum http_state state =
		http_answer_read(copy, size, ended, &answer, &err);

	FUZZ_CHECK(!ended || state != HTTP_MORE);
	if (state == HTTP_DONE) {
		FUZZ_CHECK(answer.status >= 100 && answer.status < 600);
		FUZZ_CHECK(
			answer.body >= copy &&
			answer.body_len <= size - (size_t)(answer.body - copy));
		FUZZ_CHECK(!answer.location ||
			   (answer.location >= copy &&
				   answer.location + answer.location_len <=
					   answer.body));
		try_list(answer.body, answer.body_len);
	}
	free(copy);
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
	try_answer(data, size, false);
	try_answer(data, size, true);
	try_body(data, size < FRAME_BODY_MAX ? size : FRAME_BODY_MAX);
	return 0;
}
