/* SPDX-License-Identifier: MPL-2.0 */

/* Reads relay:// URIs. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <strelaysrv/device_id.h>

#include "endpoint/other_uri.h"

#define SCHEME "relay://"

_Static_assert(OTHER_URI_MOST == 1024, "a message says so");

/* What follows the place, or is before an @, may be a secret. */
static int refuse(const char *text, const char *why, struct relay_err *err)
{
	size_t len = strcspn(text, "?#");

	if (len > 100 || memchr(text, '@', len)) {
		text = "***";
		len = strlen(text);
	}
	return relay_fail(err,
		"\"%.*s\" %s; write relay://HOST:PORT/?id=DEVICE-ID", (int)len,
		text, why);
}

/* Those that clients read in one way only, and that need no escape in JSON. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' ||
			strchr("\"<>\\^`{|}#@", *text))
			return false;
	return true;
}

static bool is_host(const char *host, bool bracketed)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789-._";
	unsigned char v6[16];

	return bracketed ? inet_pton(AF_INET6, host, v6) == 1
			 : host[0] && !host[strspn(host, letters)];
}

/* The port of `len` characters. */
static bool read_port(const char *text, size_t len, char out[6])
{
	unsigned long port = 0;

	if (len == 0 || len > 5 || text[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (unsigned long)(text[i] - '0');
	}
	memcpy(out, text, len);
	out[len] = '\0';
	return port <= 65535;
}

/* HOST:PORT of `len` characters. */
static bool read_place(const char *text, size_t len, struct other_uri *out)
{
	bool bracketed = text[0] == '[';
	const char *host = text + bracketed;
	size_t host_len = strcspn(host, bracketed ? "]" : ":/?");
	const char *after = host + host_len + bracketed;

	if (host_len >= sizeof(out->host) || after >= text + len ||
		*after != ':')
		return false;
	memcpy(out->host, host, host_len);
	out->host[host_len] = '\0';
	(void)snprintf(out->place, sizeof(out->place), "%.*s", (int)len, text);
	return is_host(out->host, bracketed) &&
	       read_port(
		       after + 1, (size_t)(text + len - after - 1), out->port);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* A part of the query of `len` characters, without its escapes.  False if it
 * has a wrong one; out has room for all. */
static bool unescape(const char *text, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%') {
			*out++ = text[i] == '+' ? ' ' : text[i];
			continue;
		}
		if (len - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
			return false;
		*out++ = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
		i += 2;
	}
	*out = '\0';
	return true;
}

static int take_pair(const char *pair, size_t len, const char *text,
	struct other_uri *out, struct relay_err *err)
{
	char key[OTHER_URI_MOST + 1], value[OTHER_URI_MOST + 1];
	const char *equals = memchr(pair, '=', len);
	size_t key_len = equals ? (size_t)(equals - pair) : len;
	const char *rest = equals ? equals + 1 : pair + len;

	if (memchr(pair, ';', len) || !unescape(pair, key_len, key) ||
		!unescape(rest, (size_t)(pair + len - rest), value))
		return refuse(text, "has a wrong escape in its query", err);
	if (strcmp(key, "token") == 0 && value[0])
		return relay_fail(err,
			"the URI of %.200s has a token, which is a secret, and "
			"everybody can read the list; leave that relay out",
			out->place);
	/* Clients take the first one. */
	if (strcmp(key, "id") != 0 || !value[0] || out->has_id)
		return 0;
	if (relay_device_id_parse(value, out->id, NULL) != 0)
		return refuse(text, "has an id that is no device ID", err);
	out->has_id = true;
	return 0;
}

int other_uri_parse(
	const char *text, struct other_uri *out, struct relay_err *err)
{
	const char *place, *at;
	size_t len;

	*out = (struct other_uri){.has_id = false};
	if (strlen(text) > OTHER_URI_MOST)
		return refuse(
			"relay://...", "has more than 1024 characters", err);
	if (strncmp(text, SCHEME, strlen(SCHEME)) != 0 || !is_plain(text))
		return refuse(text, "is no URI of a relay", err);
	place = text + strlen(SCHEME);
	at = place + strcspn(place, "/?");
	if (!read_place(place, (size_t)(at - place), out))
		return refuse(text, "has no host with a port", err);
	at += *at == '/';
	if (*at && *at != '?')
		return refuse(text, "has a path", err);
	for (at += *at == '?'; *at; at += len, at += *at == '&') {
		len = strcspn(at, "&");
		if (take_pair(at, len, text, out, err) != 0)
			return -1;
	}
	return 0;
}
