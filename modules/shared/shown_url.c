/* SPDX-License-Identifier: MPL-2.0 */

/* A URL as messages and pages show it. */

#include <stdio.h>
#include <string.h>

#include "shown_url.h"

char *shown_url(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	size_t head = scheme_end ? (size_t)(scheme_end + 3 - url) : 0;
	const char *host = url + head, *at;
	size_t tail;
	char *shown;

	at = host + strcspn(host, "/?#@");
	if (*at != '@')
		at = NULL;
	/* As libcurl does: all before the last @ is user and password. */
	while (at && strcspn(at + 1, "/?#@") != strcspn(at + 1, "/?#"))
		at += 1 + strcspn(at + 1, "@");
	if (at)
		host = at;
	tail = strcspn(host, "?#");
	if (asprintf(&shown, "%.*s%s%.*s%s", (int)head, url, at ? "***" : "",
		    (int)tail, host, host[tail] == '?' ? "?***" : "") < 0)
		return NULL;
	return shown;
}
