/* SPDX-License-Identifier: MPL-2.0 */

/* The client of /healthz. */

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "config/config.h"
#include "config/flags.h"
#include "host/host.h"
#include "life/health.h"

#define LIMIT_S     5
#define ANSWER_MOST 4096
#define REASON_MOST 300

static const char request[] = "GET /healthz HTTP/1.1\r\n"
			      "Host: localhost\r\n"
			      "Connection: close\r\n\r\n";

/* Also a file or a name server may be what does not answer. */
static void on_alarm(int number)
{
	static const char text[] =
		"not healthy: there is no answer within 5 s\n";

	(void)number;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

static int set_limit(void)
{
	struct sigaction action = {.sa_handler = on_alarm};

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGALRM, &action, NULL) != 0)
		return -1;
	(void)alarm(LIMIT_S);
	return 0;
}

struct question {
	const char *where; /* borrowed: the address that is asked */
	/* The first one of the configuration, which may be why this is not the
	 * server's address. */
	char mistake[REASON_MOST];
};

static void say(
	FILE *to, const struct question *q, const char *word, const char *what)
{
	(void)fprintf(to, "%s: %s%s%s%s\n", word, q->where, what,
		q->mistake[0] ? "; but the configuration has an error: " : "",
		q->mistake);
}

static int unhealthy(const struct question *q, const char *what)
{
	char text[REASON_MOST + 100];

	(void)snprintf(text, sizeof(text), ": %s", what);
	say(stderr, q, "not healthy", text);
	return EXIT_FAILURE;
}

static int healthy(const struct question *q, const char *what)
{
	say(stdout, q, "healthy", what);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Into one line, without what could move a cursor. */
static void first_line(const char *text, char out[REASON_MOST])
{
	size_t len = 0;

	for (; text[len] && text[len] != '\n' && len < REASON_MOST - 1; len++)
		out[len] = isprint((unsigned char)text[len]) ? text[len] : '?';
	out[len] = '\0';
}

static void note(enum relay_level level, const char *text, void *arg)
{
	struct question *q = arg;

	if (level == RELAY_ERROR && !q->mistake[0])
		first_line(text, q->mistake);
}

/* A file that was changed since the server read it may have mistakes, which say
 * nothing about the server: so the server is asked all the same. */
static struct config *read_config(const struct flags *flags, struct question *q)
{
	size_t count;
	const struct config_module *schema = host_schema(&count);
	bool good;

	return schema ? config_examine(flags->conf, flags, schema, count, note,
				q, &good)
		      : NULL;
}

/* Where a server can be reached that listens at an address: one that stands
 * for all addresses includes those of loopback. */
struct places {
	struct sockaddr_storage all[2];
	socklen_t len[2];
	unsigned count;
};

static void add(struct places *places, const void *address, size_t len)
{
	memcpy(&places->all[places->count], address, len);
	places->len[places->count++] = (socklen_t)len;
}

static void add_loopback(
	struct places *places, const struct sockaddr_storage *any)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)address_port(any)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = v4.sin_port,
		.sin6_addr = in6addr_loopback};

	/* [::] may mean IPv4, too, and the machine may have no IPv6. */
	if (any->ss_family == AF_INET6)
		add(places, &v6, sizeof(v6));
	add(places, &v4, sizeof(v4));
}

static bool is_any(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ((const struct sockaddr_in *)address)->sin_addr.s_addr ==
		       htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(
		&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static int find_places(const char *text, int64_t protocol, struct places *out,
	struct relay_err *err)
{
	struct sockaddr_storage address;
	socklen_t len;

	*out = (struct places){.count = 0};
	if (address_resolve(text, protocol, &address, &len, err) != 0)
		return -1;
	if (address_port(&address) == 0)
		return relay_fail(err, "only the server knows which port it "
				       "chose for port 0");
	if (is_any(&address))
		add_loopback(out, &address);
	else
		add(out, &address, len);
	return 0;
}

/* The descriptor, or -1 with errno. */
static int dial(const struct places *places)
{
	for (unsigned i = 0; i < places->count; i++) {
		int fd = socket(places->all[i].ss_family,
			SOCK_STREAM | SOCK_CLOEXEC, 0);
		int error;

		if (fd < 0)
			continue;
		if (connect(fd, (const struct sockaddr *)&places->all[i],
			    places->len[i]) == 0)
			return fd;
		error = errno;
		(void)close(fd);
		errno = error;
	}
	return -1;
}

/* Reads until the server closes, or the answer is longer than any of it.
 * Returns its length, or -1 with errno. */
static ssize_t exchange(int fd, char answer[ANSWER_MOST])
{
	size_t len = 0;

	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		return -1;
	while (len < ANSWER_MOST - 1) {
		ssize_t n = recv(fd, answer + len, ANSWER_MOST - 1 - len, 0);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	answer[len] = '\0';
	return (ssize_t)len;
}

static int judge(const struct question *q, const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	char reason[REASON_MOST], text[REASON_MOST + 40];
	int code;

	if (!body || sscanf(answer, "HTTP/1.%*1d %3d", &code) != 1)
		return unhealthy(q, "what answers is no HTTP server");
	first_line(body + 4, reason);
	(void)snprintf(text, sizeof(text), "%s%d: %s",
		code == 404 ? "the module status does not run: " : "", code,
		reason);
	return code == 200 ? healthy(q, text + strlen("200"))
			   : unhealthy(q, text);
}

static int ask(const struct question *q, int64_t protocol, bool is_http)
{
	char answer[ANSWER_MOST];
	struct places places;
	struct relay_err err;
	int fd, code;

	if (find_places(q->where, protocol, &places, &err) != 0)
		return unhealthy(q, err.text);
	fd = dial(&places);
	if (fd < 0 && errno == ECONNREFUSED)
		return unhealthy(q,
			"nobody listens there; does the server run, with the "
			"same flags and configuration?");
	if (fd < 0)
		return unhealthy(q, strerror(errno));
	if (!is_http) {
		code = healthy(q, " accepts connections; there is no "
				  "status address to ask");
	} else if (exchange(fd, answer) < 0) {
		code = unhealthy(q, strerror(errno));
	} else {
		code = judge(q, answer);
	}
	(void)close(fd);
	return code;
}

int health_run(const struct flags *flags)
{
	struct question q = {.where = "configuration"};
	const struct core_conf *core;
	struct config *config;
	bool is_http;
	int code;

	if (set_limit() != 0)
		return unhealthy(&q, strerror(errno));
	config = read_config(flags, &q);
	if (!config)
		return unhealthy(&q, "it cannot be read");
	core = config_core(config);
	is_http = core->status_srv[0] || core->private_srv[0];
	if (core->status_srv[0])
		q.where = core->status_srv;
	else
		q.where = is_http ? core->private_srv
				  : core->listeners[0].address;
	code = ask(&q, is_http ? CORE_TCP : core->protocol, is_http);
	config_free(config);
	return code;
}
