/* SPDX-License-Identifier: MPL-2.0 */

/* What the URL of a pool says, as libcurl reads it. */

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "url.h"

/* "" if it has none. */
static void get_part(CURLU *parsed, CURLUPart part, char *out, size_t cap)
{
	char *text = NULL;

	out[0] = '\0';
	if (curl_url_get(parsed, part, &text, 0) == CURLUE_OK && text)
		(void)snprintf(out, cap, "%s", text);
	curl_free(text);
}

/* It becomes a label of metrics, which are printable. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void read_parts(CURLU *parsed, struct url *out)
{
	char host[256], port[8], scheme[8], user[2], password[2];

	get_part(parsed, CURLUPART_SCHEME, scheme, sizeof(scheme));
	get_part(parsed, CURLUPART_HOST, host, sizeof(host));
	get_part(parsed, CURLUPART_PORT, port, sizeof(port));
	get_part(parsed, CURLUPART_USER, user, sizeof(user));
	get_part(parsed, CURLUPART_PASSWORD, password, sizeof(password));
	out->plain = strcmp(scheme, "http") == 0;
	out->secret = user[0] || password[0];
	(void)snprintf(out->place, sizeof(out->place), "%s%s%s", host,
		port[0] ? ":" : "", port);
	make_printable(out->place);
}

/* libcurl takes many more, and guesses what is left out. */
static bool is_web(const char *text)
{
	return strncmp(text, "https://", 8) == 0 ||
	       strncmp(text, "http://", 7) == 0;
}

int url_parse(const char *text, struct url *out, struct relay_err *err)
{
	CURLU *parsed;
	CURLUcode code;

	if (!is_web(text))
		return relay_fail(err,
			"\"%.100s\" is no URL; write https://HOST/PATH", text);
	parsed = curl_url();
	if (!parsed)
		return relay_fail(err, "out of memory");
	code = curl_url_set(parsed, CURLUPART_URL, text, 0);
	if (code != CURLUE_OK)
		(void)relay_fail(err,
			"\"%.100s\" is no URL (%s); write https://HOST/PATH",
			text, curl_url_strerror(code));
	else if (out)
		read_parts(parsed, out);
	curl_url_cleanup(parsed);
	return code == CURLUE_OK ? 0 : -1;
}
