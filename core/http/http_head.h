/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The head of an HTTP/1.x request: its line and its header fields (RFC 9112).
 * The server answers GET and HEAD only, and never reads a body, so this is all
 * of HTTP that it parses.  What a proxy in front might read differently is
 * refused: line ends without CR, folded lines, a space before a colon, two
 * lengths.  Pure.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX   8192 /* bytes, with the empty line */
#define HTTP_FIELDS_MAX 100
#define HTTP_BODY_MAX   4096 /* bytes; a request that announces more gets 413 */

struct http_field {
	const char *name, *value;
};

/* All text is in the caller's buffer. */
struct http_head {
	const char *method;
	const char *path;  /* the target up to '?', as it was sent */
	const char *query; /* after '?'; "" if none */
	const char *host;  /* the field's value; NULL: none */
	int minor;         /* HTTP/1.minor */
	bool has_body;     /* one is announced; it was not read */
	bool persistent;   /* the client will send further requests */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t count;
};

/*
 * Looks for the end of a head in data; the first `seen` bytes were searched
 * before.  Returns the length of the head; 0: it is not complete; -1: this
 * cannot become a request.
 */
int http_head_end(const char *data, size_t len, size_t seen);

/*
 * Parses a head whose length http_head_end() returned; puts zero bytes into it.
 * 0, or the status code to refuse it with; `out` is valid in both cases.
 */
int http_head_parse(char *data, size_t len, struct http_head *out);

/* The first field of that name, in any case; NULL: none. */
const char *http_head_find(const struct http_head *head, const char *name);

#endif
