/* SPDX-License-Identifier: MPL-2.0 */

/* One HTTP request to a host of the local network. */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch.h"
#include "http_body.h"
#include "shared/monotonic.h"

#define HTTP_PORT 80
#define SCHEME    "http://"

/* Spaces, quotes and control characters could forge requests. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"<>\\^`{|}", *text))
			return false;
	return true;
}

static int read_port(const char *text, size_t len, uint16_t *out)
{
	unsigned long port = 0;

	for (size_t i = 0; i < len && port <= UINT16_MAX; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		port = port * 10 + (unsigned long)(text[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return -1;
	*out = (uint16_t)port;
	return 0;
}

int url_read(const char *text, uint32_t scope, struct url *out)
{
	const char *host, *end, *after;
	char address[INET6_ADDRSTRLEN];
	size_t len;

	*out = (struct url){.port = HTTP_PORT};
	if (strncasecmp(text, SCHEME, sizeof(SCHEME) - 1) != 0 ||
		!is_plain(text))
		return -1;
	host = text + sizeof(SCHEME) - 1;
	after = host + strcspn(host, "/?#");
	if (*host == '[') {
		host++;
		/* A scope is only valid on the other host. */
		len = strcspn(host, "]%");
		end = strchr(host, ']');
		end = end ? end + 1 : after + 1;
	} else {
		len = strcspn(host, ":/?#");
		end = host + len;
	}
	if (end > after || len >= sizeof(address))
		return -1;
	memcpy(address, host, len);
	address[len] = '\0';
	if (host_read(address, scope, &out->host) != 0 ||
		(end < after &&
			(*end != ':' ||
				read_port(end + 1, (size_t)(after - end - 1),
					&out->port) != 0)))
		return -1;
	return (size_t)snprintf(out->path, sizeof(out->path), "%s%.*s",
		       *after == '/' ? "" : "/", (int)strcspn(after, "#"),
		       after) < sizeof(out->path)
		       ? 0
		       : -1;
}

/* The connection. */

struct call {
	int fd;
	int64_t end_ms;
	struct refusals *refusals;
	struct relay_err *err;
	char who[HOST_TEXT];
};

static int too_slow(struct call *call)
{
	return refuse(call->refusals, REFUSAL_TIME, call->err,
		"%s takes too long to answer", call->who);
}

static int broken(struct call *call, int error)
{
	return relay_fail(call->err, "%s: %s", call->who, strerror(error));
}

static int await(struct call *call, short events)
{
	struct pollfd fd = {.fd = call->fd, .events = events};
	int rc;

	do {
		int64_t left = call->end_ms - monotonic_now_ms();

		if (left <= 0)
			return too_slow(call);
		rc = poll(&fd, 1, left > INT32_MAX ? INT32_MAX : (int)left);
	} while (rc == 0 || (rc < 0 && errno == EINTR));
	return rc < 0 ? broken(call, errno) : 0;
}

static int bind_to(struct call *call, const char *source)
{
	struct sockaddr_in from = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, source, &from.sin_addr) != 1)
		return broken(call, EAFNOSUPPORT);
	if (bind(call->fd, (const struct sockaddr *)&from, sizeof(from)) != 0)
		return broken(call, errno);
	return 0;
}

static int connect_to(struct call *call, const struct question *question)
{
	const struct url *url = question->url;
	const char *source = question->source;
	struct sockaddr_storage to;
	socklen_t len = host_sockaddr(&url->host, url->port, &to);
	socklen_t size = sizeof(int);
	int error = 0;

	call->fd = socket(
		to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (call->fd < 0)
		return broken(call, errno);
	if (source && source[0] && bind_to(call, source) != 0)
		return -1;
	if (connect(call->fd, (const struct sockaddr *)&to, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return broken(call, errno);
	if (await(call, POLLOUT) != 0)
		return -1;
	if (getsockopt(call->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	return error ? broken(call, error) : 0;
}

static int send_all(struct call *call, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(call->fd, text, len, MSG_NOSIGNAL);

		if (sent > 0) {
			text += sent;
			len -= (size_t)sent;
		} else if (errno != EAGAIN && errno != EINTR) {
			return broken(call, errno);
		} else if (await(call, POLLOUT) != 0) {
			return -1;
		}
	}
	return 0;
}

static int ask(struct call *call, const struct question *question)
{
	const struct url *url = question->url;
	const char *body = question->body ? question->body : "";
	bool v6 = !host_is_v4(&url->host);
	char *text;
	int len, result;

	len = asprintf(&text,
		"%s %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nConnection: close\r\n"
		"User-Agent: strelaysrv UPnP/1.1\r\n%sContent-Length: "
		"%zu\r\n\r\n%s",
		question->body ? "POST" : "GET", url->path, v6 ? "[" : "",
		call->who, v6 ? "]" : "", (unsigned)url->port,
		question->headers, strlen(body), body);
	if (len < 0)
		return relay_fail(call->err, "out of memory");
	result = send_all(call, text, (size_t)len);
	free(text);
	return result;
}

static int too_much(struct call *call)
{
	return refuse(call->refusals, REFUSAL_SIZE, call->err,
		"%s sends more than %d bytes", call->who, FETCH_MAX);
}

static int hear(struct call *call, struct http_body *body)
{
	enum http_progress progress = HTTP_MORE;

	while (progress == HTTP_MORE) {
		ssize_t got;

		if (body->len == FETCH_MAX)
			return too_much(call);
		if (await(call, POLLIN) != 0)
			return -1;
		got = recv(call->fd, body->text + body->len,
			FETCH_MAX - body->len, 0);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return broken(call, errno);
		if (got < 0)
			continue;
		body->len += (size_t)got;
		progress = http_body_read(body, got == 0);
	}
	if (progress == HTTP_TOO_MUCH)
		return too_much(call);
	return progress == HTTP_DONE
		       ? 0
		       : relay_fail(call->err, "%s: the answer is not HTTP",
				 call->who);
}

static int find_self(struct call *call, struct host *out)
{
	struct sockaddr_storage self;
	socklen_t len = sizeof(self);

	if (getsockname(call->fd, (struct sockaddr *)&self, &len) != 0)
		return broken(call, errno);
	host_of((const struct sockaddr *)&self, out);
	return 0;
}

int fetch(const struct question *question, struct answer *out,
	struct refusals *refusals, struct relay_err *err)
{
	struct call call = {.fd = -1,
		.end_ms = question->end_ms,
		.refusals = refusals,
		.err = err};
	struct http_body body = {.limit = FETCH_MAX};
	int result = -1;

	*out = (struct answer){.status = 0};
	host_text(&question->url->host, call.who);
	body.text = malloc(FETCH_MAX + 1);
	if (!body.text)
		return relay_fail(err, "out of memory");
	if (connect_to(&call, question) == 0 &&
		find_self(&call, &out->self) == 0 &&
		ask(&call, question) == 0 && hear(&call, &body) == 0) {
		memmove(body.text, body.text + body.head, body.size);
		body.text[body.size] = '\0';
		out->body = body.text;
		out->size = body.size;
		out->status = body.status;
		body.text = NULL;
		result = 0;
	}
	free(body.text);
	if (call.fd >= 0)
		(void)close(call.fd);
	return result;
}

void answer_free(struct answer *answer)
{
	free(answer->body);
	answer->body = NULL;
}
