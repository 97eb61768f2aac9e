/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the URIs of relays and pools. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client_uri.h"

struct scheme {
	const char *prefix;
	enum client_uri_kind kind;
	uint16_t port;
};

static const struct scheme schemes[] = {
	{"relay://", CLIENT_URI_RELAY, 22067},
	{"dynamic+http://", CLIENT_URI_HTTP, 80},
	{"dynamic+https://", CLIENT_URI_HTTPS, 443},
};

static const struct scheme web_schemes[] = {
	{"http://", CLIENT_URI_HTTP, 80},
	{"https://", CLIENT_URI_HTTPS, 443},
};

/* A part of the text. */
struct piece {
	const char *at;
	size_t len;
};

static struct piece until(const char *at, const char *end)
{
	return (struct piece){at, strcspn(at, end)};
}

/* Independent of the locale: a URI is ASCII. */
static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static int check_characters(const char *text, struct relay_err *err)
{
	size_t len = strnlen(text, CLIENT_URI_MAX + 1);

	if (len > CLIENT_URI_MAX)
		return relay_fail(
			err, "it has more than %d characters", CLIENT_URI_MAX);
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return relay_fail(err,
				"byte 0x%02x at position %zu has no place in "
				"a URI; write it as %%%02X",
				(unsigned)(unsigned char)text[i], i + 1,
				(unsigned)(unsigned char)text[i]);
	}
	return 0;
}

static int parse_port(
	struct piece port, struct client_uri *out, struct relay_err *err)
{
	unsigned n = 0;

	if (port.len == 0)
		return 0; /* "host:" means the default, RFC 3986 */
	for (size_t i = 0; i < port.len; i++) {
		if (port.at[i] < '0' || port.at[i] > '9' || n > UINT16_MAX)
			n = UINT16_MAX + 1;
		else
			n = n * 10 + (unsigned)(port.at[i] - '0');
	}
	if (n == 0 || n > UINT16_MAX)
		return relay_fail(err, "the port must be 1 to 65535");
	out->port = (uint16_t)n;
	return 0;
}

static int parse_v6(
	struct piece host, struct client_uri *out, struct relay_err *err)
{
	struct in6_addr v6;

	if (host.len < INET6_ADDRSTRLEN) {
		memcpy(out->host, host.at, host.len);
		out->host[host.len] = '\0';
		if (inet_pton(AF_INET6, out->host, &v6) == 1)
			return 0;
	}
	return relay_fail(err, "in [] there must be an IPv6 address");
}

static int parse_name(
	struct piece host, struct client_uri *out, struct relay_err *err)
{
	if (host.len > CLIENT_HOST_MAX)
		return relay_fail(err,
			"the host name has more than %d characters",
			CLIENT_HOST_MAX);
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];

		if (is_letter_or_digit(c) || c == '-' || c == '.' || c == '_')
			continue;
		return relay_fail(
			err, "\"%c\" does not occur in host names", c);
	}
	memcpy(out->host, host.at, host.len);
	out->host[host.len] = '\0';
	return 0;
}

static int parse_authority(
	struct piece all, struct client_uri *out, struct relay_err *err)
{
	struct piece host = all, port = {"", 0};
	const char *end, *colon;
	bool v6 = all.len > 0 && all.at[0] == '[';

	if (memchr(all.at, '@', all.len))
		return relay_fail(err, "a user name has no place in it");
	end = v6 ? memchr(all.at, ']', all.len) : all.at;
	if (!end)
		return relay_fail(err, "its ] is missing");
	colon = memchr(end, ':', all.len - (size_t)(end - all.at));
	if (colon) {
		host.len = (size_t)(colon - all.at);
		port.at = colon + 1;
		port.len = all.len - host.len - 1;
	}
	if (parse_port(port, out, err))
		return -1;
	if (!v6)
		return parse_name(host, out, err);
	if (end + 1 != host.at + host.len)
		return relay_fail(err, "after ] must come the port");
	return parse_v6((struct piece){host.at + 1, host.len - 2}, out, err);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte of an escape %XX; -1 if it is invalid or NUL. */
static int escaped_byte(struct piece in, size_t at)
{
	int high, low;

	if (in.len - at < 3)
		return -1;
	high = hex_digit(in.at[at + 1]);
	low = hex_digit(in.at[at + 2]);
	if (high < 0 || low < 0 || high + low == 0)
		return -1;
	return high * 16 + low;
}

/* Undoes what relay_query_escape() does. */
static int unescape(struct piece in, char *out, size_t cap)
{
	size_t at = 0;

	for (size_t i = 0; i < in.len; i++) {
		int c = (unsigned char)in.at[i];

		if (c == '+')
			c = ' ';
		if (c == '%') {
			c = escaped_byte(in, i);
			i += 2;
		}
		if (c < 0 || at + 1 >= cap)
			return -1;
		out[at++] = (char)c;
	}
	out[at] = '\0';
	return 0;
}

static bool is_name(struct piece p, const char *name)
{
	return p.len == strlen(name) && memcmp(p.at, name, p.len) == 0;
}

static int parse_id(
	struct piece value, struct client_uri *out, struct relay_err *err)
{
	struct relay_err why;
	char text[160];

	if (out->has_id || value.len == 0)
		return 0;
	if (unescape(value, text, sizeof(text)))
		return relay_fail(err, "its id is no device ID");
	if (relay_device_id_parse(text, out->id, &why))
		return relay_fail(err, "its id: %.200s", why.text);
	out->has_id = true;
	return 0;
}

static int parse_field(struct piece field, bool *has_token,
	struct client_uri *out, struct relay_err *err)
{
	const char *equals = memchr(field.at, '=', field.len);
	struct piece name = field, value = {"", 0};

	if (equals) {
		name.len = (size_t)(equals - field.at);
		value.at = equals + 1;
		value.len = field.len - name.len - 1;
	}
	if (is_name(name, "id"))
		return parse_id(value, out, err);
	if (!is_name(name, "token") || *has_token)
		return 0;
	*has_token = true;
	if (unescape(value, out->token, sizeof(out->token)))
		return relay_fail(err,
			"its token has a wrong %%-escape, or more than %d "
			"bytes",
			CLIENT_URI_TOKEN_MAX);
	return 0;
}

static int parse_query(
	const char *at, struct client_uri *out, struct relay_err *err)
{
	bool has_token = false;

	while (*at && *at != '#') {
		struct piece field = until(at, "&#");

		if (parse_field(field, &has_token, out, err))
			return -1;
		at += field.len;
		at += *at == '&';
	}
	return 0;
}

static int parse_rest(
	const char *rest, struct client_uri *out, struct relay_err *err)
{
	size_t len = strcspn(rest, "#");

	if (out->kind == CLIENT_URI_RELAY) {
		rest += strcspn(rest, "?#");
		return *rest == '?' ? parse_query(rest + 1, out, err) : 0;
	}
	if (!out->host[0])
		return relay_fail(err, "it has no host");
	/* "?x" without a path means "/?x". */
	(void)snprintf(out->target, sizeof(out->target), "%s%.*s",
		*rest == '/' ? "" : "/", (int)len, rest);
	return 0;
}

static int parse(const struct scheme *all, size_t count, const char *text,
	struct client_uri *out, struct relay_err *err)
{
	memset(out, 0, sizeof(*out));
	if (check_characters(text, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(all[i].prefix);
		struct piece authority;

		if (strncasecmp(text, all[i].prefix, len))
			continue;
		out->kind = all[i].kind;
		out->port = all[i].port;
		authority = until(text + len, "/?#");
		if (parse_authority(authority, out, err))
			return -1;
		return parse_rest(authority.at + authority.len, out, err);
	}
	return relay_fail(err, "it begins with none of %s, %s%s%s",
		all[0].prefix, all[1].prefix, count > 2 ? ", " : "",
		count > 2 ? all[2].prefix : "");
}

static int fail_uri(
	struct relay_err *err, const char *text, const struct relay_err *why)
{
	/* Drop the query: it may contain a token. */
	return relay_fail(err, "\"%.*s\" is no URI of a relay: %.150s",
		(int)strcspn(text, "?") < 80 ? (int)strcspn(text, "?") : 80,
		text, why->text);
}

int client_uri_parse(
	const char *text, struct client_uri *out, struct relay_err *err)
{
	struct relay_err why;

	if (parse(schemes, sizeof(schemes) / sizeof(schemes[0]), text, out,
		    &why))
		return fail_uri(err, text, &why);
	return 0;
}

int client_uri_parse_web(
	const char *text, struct client_uri *out, struct relay_err *err)
{
	struct relay_err why;

	if (parse(web_schemes, sizeof(web_schemes) / sizeof(web_schemes[0]),
		    text, out, &why))
		return fail_uri(err, text, &why);
	return 0;
}

void client_uri_place(const struct client_uri *uri, char out[CLIENT_PLACE])
{
	(void)snprintf(out, CLIENT_PLACE,
		strchr(uri->host, ':') ? "[%s]:%u" : "%s:%u", uri->host,
		(unsigned)uri->port);
}
