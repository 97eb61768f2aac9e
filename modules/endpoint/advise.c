/* SPDX-License-Identifier: MPL-2.0 */

/* Warnings. */

#include <string.h>
#include <sys/socket.h>

#include "endpoint/advise.h"
#include "shared/lookup.h"
#include "shared/token_options.h"

/* For all names together; only the first that does not answer takes long. */
#define NAMES_S 5

static bool same_place(const struct other_uri *a, const struct other_uri *b)
{
	return strcasecmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}

static bool same_id(const struct other_uri *a, const uint8_t id[32])
{
	return a->has_id && memcmp(a->id, id, sizeof(a->id)) == 0;
}

static void advise_one(const struct relay_ctx *cx, const struct other_uri *uri)
{
	if (!uri->has_id)
		relay_log(cx, RELAY_WARNING,
			"the URI of %s has no id: clients and checks cannot "
			"tell whether it is that relay",
			uri->place);
	if (same_id(uri, relay_server_id()))
		relay_log(cx, RELAY_WARNING,
			"%s has the ID of this relay, which is listed anyway; "
			"relays has the others",
			uri->place);
}

void advise_list(const struct relay_ctx *cx, const struct conf *conf)
{
	struct other_uri uri, before;

	for (size_t i = 0; conf->relays[i]; i++) {
		if (other_uri_parse(conf->relays[i], &uri, NULL) != 0)
			continue;
		advise_one(cx, &uri);
		for (size_t b = 0; b < i; b++) {
			if (other_uri_parse(conf->relays[b], &before, NULL) !=
					0 ||
				!same_place(&uri, &before))
				continue;
			relay_log(cx, RELAY_WARNING, "%s is listed twice",
				uri.place);
			break;
		}
	}
}

static void advise_names(const struct relay_ctx *cx, const struct conf *conf)
{
	struct lookup *lookups[OTHERS_MOST] = {NULL};
	const struct addrinfo *list;
	struct other_uri uri;
	unsigned patience = NAMES_S;

	for (size_t i = 0; conf->relays[i]; i++)
		if (other_uri_parse(conf->relays[i], &uri, NULL) == 0)
			lookups[i] =
				lookup_begin(uri.host, uri.port, SOCK_STREAM);
	for (size_t i = 0; conf->relays[i]; i++) {
		int error = lookups[i]
				    ? lookup_wait(lookups[i], patience, &list)
				    : 0;

		if (error && other_uri_parse(conf->relays[i], &uri, NULL) == 0)
			relay_log(cx, RELAY_WARNING, "%s: %s", uri.place,
				error == EAI_INPROGRESS
					? "no name server answers"
					: gai_strerror(error));
		if (error == EAI_INPROGRESS)
			patience = 0;
		lookup_end(lookups[i]);
	}
}

static bool has_status_address(struct relay_ctx *cx)
{
	struct relay_value value;

	return relay_option_get(cx, NULL, "status-srv", &value) != 0 ||
	       value.string[0];
}

void advise_all(struct relay_ctx *cx, const void *values)
{
	if (!has_status_address(cx))
		relay_log(cx, RELAY_WARNING,
			"nobody can read the list: status-srv is empty");
	if (token_options_are_set(cx))
		relay_log(cx, RELAY_WARNING,
			"this relay needs a token, so it is not in its own "
			"list");
	advise_list(cx, values);
	advise_names(cx, values);
}
