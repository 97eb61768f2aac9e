/* SPDX-License-Identifier: MPL-2.0 */

/* Answers: the status line, the header fields, the body. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>

#include "http/http_reply.h"

/* RFC 9110, section 15; those that modules and the server itself use. */
static const struct phrase {
	int status;
	const char *text;
} phrases[] = {
	{200, "OK"},
	{204, "No Content"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{421, "Misdirected Request"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
};

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return status < 300 ? "OK" : status < 400 ? "Redirect" : "Error";
}

int http_reply_field(
	struct http_exchange *x, const char *name, const char *value)
{
	if (!*name || strpbrk(name, ": \t\r\n") || strpbrk(value, "\r\n"))
		return -1;
	return evbuffer_add_printf(x->fields, "%s: %s\r\n", name, value) < 0
		       ? -1
		       : 0;
}

/* RFC 9110, section 5.6.7.  Not strftime's names, which a locale may change. */
static void format_date(char *out, size_t cap)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		memset(&tm, 0, sizeof(tm));
	(void)snprintf(out, cap, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		days + 3 * (tm.tm_wday % 7), tm.tm_mday,
		months + 3 * (tm.tm_mon % 12), tm.tm_year + 1900, tm.tm_hour,
		tm.tm_min, tm.tm_sec);
}

/* The Connection field, if it differs from the protocol version's default. */
static const char *connection_of(const struct http_exchange *x)
{
	if (x->last)
		return "Connection: close\r\n";
	return x->head.minor == 0 ? "Connection: keep-alive\r\n" : "";
}

void http_reply_write(struct http_exchange *x, int status, const char *type,
	struct evbuffer *body)
{
	bool bare = status == 204 || status == 304;
	bool head = strcmp(x->head.method, "HEAD") == 0;
	size_t len = body ? evbuffer_get_length(body) : 0;
	char date[40], length[40] = "", alive[40] = "";

	format_date(date, sizeof(date));
	if (!bare)
		(void)snprintf(
			length, sizeof(length), "Content-Length: %zu\r\n", len);
	if (!x->last)
		(void)snprintf(alive, sizeof(alive),
			"Keep-Alive: timeout=%d\r\n", HTTP_PROMISED_S);
	if (evbuffer_add_printf(x->out,
		    "HTTP/1.%d %d %s\r\nDate: %s\r\nContent-Type: %s\r\n"
		    "X-Content-Type-Options: nosniff\r\n%s%s%s",
		    x->head.minor ? 1 : 0, status, phrase_of(status), date,
		    type, length, connection_of(x), alive) < 0 ||
		evbuffer_add_buffer(x->out, x->fields) != 0 ||
		evbuffer_add(x->out, "\r\n", 2) != 0)
		return;
	if (len && !head && !bare && evbuffer_add_buffer(x->out, body) != 0)
		return;
	x->answered = true;
}

void http_reply_say(struct http_exchange *x, int status, const char *text)
{
	struct evbuffer *body = evbuffer_new();

	if (!body)
		return;
	if (evbuffer_add_printf(body, "%d %s\n", status, text) >= 0)
		http_reply_write(x, status, "text/plain; charset=utf-8", body);
	evbuffer_free(body);
}

void http_reply_refuse(struct http_exchange *x, int status)
{
	http_reply_say(x, status, phrase_of(status));
}
