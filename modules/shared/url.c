/* SPDX-License-Identifier: MPL-2.0 */

/* Parses the URL of a web service, as libcurl does. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "shared/libcurl.h"
#include "shared/url.h"

/* "" if it has none.  0, or -1 without memory. */
static int get_part(const struct libcurl *curl, CURLU *parsed, CURLUPart part,
	char *out, size_t cap)
{
	char *text = NULL;
	CURLUcode code = curl->url_get(parsed, part, &text, 0);

	out[0] = '\0';
	if (code == CURLUE_OK && text)
		(void)snprintf(out, cap, "%s", text);
	curl->free(text);
	return code == CURLUE_OUT_OF_MEMORY ? -1 : 0;
}

/* It becomes a label of metrics, so it must be printable. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* 0, or -1 without memory. */
static int read_parts(
	const struct libcurl *curl, CURLU *parsed, struct url *out)
{
	char host[256], port[8], scheme[8], user[2], password[2], query[2];

	if (get_part(curl, parsed, CURLUPART_SCHEME, scheme, sizeof(scheme)) ||
		get_part(curl, parsed, CURLUPART_HOST, host, sizeof(host)) ||
		get_part(curl, parsed, CURLUPART_PORT, port, sizeof(port)) ||
		get_part(curl, parsed, CURLUPART_USER, user, sizeof(user)) ||
		get_part(curl, parsed, CURLUPART_PASSWORD, password,
			sizeof(password)) ||
		get_part(curl, parsed, CURLUPART_QUERY, query, sizeof(query)))
		return -1;
	out->plain = strcmp(scheme, "http") == 0;
	out->secret = user[0] || password[0] || query[0];
	(void)snprintf(out->place, sizeof(out->place), "%s%s%s", host,
		port[0] ? ":" : "", port);
	make_printable(out->place);
	return 0;
}

/* libcurl supports more schemes, and guesses a missing one. */
static bool is_web(const char *text)
{
	return strncmp(text, "https://", 8) == 0 ||
	       strncmp(text, "http://", 7) == 0;
}

/* What a message calls a text that is no URL: who knows where in it a secret
 * begins? */
static const char *called(const char *text)
{
	return strpbrk(text, "@?") ? "***" : text;
}

/* libcurl parses all URLs that are not in the simple form. */
static int parse_any(const char *text, struct url *out, struct relay_err *err)
{
	const struct libcurl *curl = libcurl_get(err);
	CURLU *parsed;
	CURLUcode code;
	int result = 0;

	if (!curl)
		return -1;
	parsed = curl->url();
	if (!parsed)
		return relay_fail(err, "out of memory");
	code = curl->url_set(parsed, CURLUPART_URL, text, 0);
	if (code == CURLUE_OUT_OF_MEMORY ||
		(code == CURLUE_OK && out &&
			read_parts(curl, parsed, out) != 0))
		result = relay_fail(err, "out of memory");
	else if (code != CURLUE_OK)
		result = relay_fail(err,
			"\"%.100s\" is no URL (%s); write https://HOST/PATH",
			called(text), curl->url_strerror(code));
	curl->url_cleanup(parsed);
	return result;
}

/* Points after the digits of a valid port, else NULL. */
static const char *pass_port(const char *text)
{
	long port = 0;
	size_t len = 0;

	for (; len < 5 && text[len] >= '0' && text[len] <= '9'; len++)
		port = port * 10 + (text[len] - '0');
	return port >= 1 && port <= 65535 && text[0] != '0' ? text + len : NULL;
}

/*
 * The simple form: SCHEME://NAME, optionally :PORT and an unambiguous /PATH.
 * For these, libcurl need not be loaded at the start.
 */
static bool parse_plain(const char *text, struct url *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789-";
	bool plain = strncmp(text, "http:", 5) == 0;
	const char *host = text + (plain ? 7 : 8), *end = host;
	size_t label;

	for (;;) {
		label = strspn(end, letters);
		if (label == 0 || label > 63)
			return false;
		if (end[label] != '.')
			break;
		end += label + 1;
	}
	/* The host may be an address. */
	if (strcspn(end, "0123456789") < label)
		return false;
	end += label;
	if (end - host > 253)
		return false;
	if (*end == ':' && !(end = pass_port(end + 1)))
		return false;
	if (out) {
		*out = (struct url){.plain = plain};
		(void)snprintf(out->place, sizeof(out->place), "%.*s",
			(int)(end - host), host);
	}
	if (!*end)
		return true;
	if (*end++ != '/')
		return false;
	while (*end) {
		label = strspn(end, letters);
		if (label == 0)
			return false;
		end += label;
		end += *end == '/';
	}
	return true;
}

int url_parse(const char *text, struct url *out, struct relay_err *err)
{
	if (!is_web(text))
		return relay_fail(err,
			"\"%.100s\" is no URL; write https://HOST/PATH",
			called(text));
	return parse_plain(text, out) ? 0 : parse_any(text, out, err);
}
