/* SPDX-License-Identifier: MPL-2.0 */

/* The client of a running server. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <strelaysrv/command.h>

#include "config/config.h"
#include "config/flags.h"
#include "host/host.h"
#include "life/ctl.h"
#include "life/ctl_answer.h"

/* The server writes something at least every five seconds. */
#define SILENCE_MS 20000
#define LINE_MOST  (256U << 20)

static int complain(const char *what, const char *path)
{
	(void)fprintf(stderr, "strelaysrv: %s%s%s\n", what, path ? ": " : "",
		path ? path : "");
	return CTL_NO_SERVER;
}

static int find_path(const struct flags *flags, char path[RELAY_CONTROL_PATH])
{
	struct relay_value value;
	const char *option = "";
	bool good;
	struct config *config = host_examine(&good);
	int result;

	if (!config)
		return -1;
	if (config_get(config, "control", "socket", &value) == 0)
		option = value.string;
	result = relay_control_path(option, flags->draining, path);
	config_free(config);
	return result;
}

/* A word ends at a space, and the command at the end of its line.  An exit
 * code, after a message. */
static int join(const struct flags *flags, char **out)
{
	size_t len;
	FILE *text = open_memstream(out, &len);

	if (!text)
		return complain("cannot write the command", strerror(errno));
	for (size_t i = 0; i < flags->word_count; i++) {
		const char *word = flags->words[i];

		if (strpbrk(word, " \t\r\n")) {
			(void)fclose(text);
			(void)complain("each word of a command is an argument "
				       "of its own, without spaces",
				word);
			return RELAY_COMMAND_USAGE;
		}
		(void)fprintf(text, "%s%s", i ? " " : "", word);
	}
	(void)fprintf(text, "%s\n", flags->word_count ? "" : "help");
	return fclose(text) == 0
		       ? 0
		       : complain("cannot write the command", strerror(errno));
}

static int explain(int error, const char *path, bool draining)
{
	char text[RELAY_CONTROL_PATH + 200];

	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		if (draining)
			return complain("no process drains after an upgrade: "
					"nobody listens here",
				path);
		(void)snprintf(text, sizeof(text),
			"no server listens for commands at %s; does it run, "
			"with the module control, and with the same flags and "
			"configuration?",
			path);
		return complain(text, NULL);
	case EACCES:
		(void)snprintf(text, sizeof(text),
			"may not connect to %s: only root, the server's user "
			"and members of the socket's group may give commands",
			path);
		(void)complain(text, NULL);
		return CTL_REFUSED;
	case EAGAIN:
		return complain("the server accepts no connection", path);
	default:
		(void)snprintf(text, sizeof(text), "cannot connect to %s: %s",
			path, strerror(error));
		return complain(text, NULL);
	}
}

/* A server that hangs must not hang its clients. */
static int dial(const char *path, bool draining, int *fd)
{
	const struct timeval limit = {.tv_sec = SILENCE_MS / 1000};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path) + 1);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return complain("cannot make a socket", strerror(errno));
	if (setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) !=
			0 ||
		connect(*fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return explain(errno, path, draining);
	return 0;
}

static int send_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* The answer may say why the server has closed. */
		if (n < 0)
			return errno == EPIPE ? 0 : -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

struct input {
	int fd;
	char *data; /* owned */
	size_t len, room;
};

/* Reads more.  How many bytes; 0 at the end; -1 after a message. */
static ssize_t fill(struct input *in)
{
	struct pollfd wait = {.fd = in->fd, .events = POLLIN};
	int ready = poll(&wait, 1, SILENCE_MS);
	ssize_t n;

	if (ready == 0) {
		(void)complain("the server does not answer", NULL);
		return -1;
	}
	if (in->len == in->room) {
		size_t room = in->room ? 2 * in->room : 65536;
		char *data = room <= LINE_MOST ? realloc(in->data, room) : NULL;

		if (!data) {
			(void)complain("the answer is too long", NULL);
			return -1;
		}
		in->data = data;
		in->room = room;
	}
	n = recv(in->fd, in->data + in->len, in->room - in->len, 0);
	if (n < 0 && errno != EINTR && errno != ECONNRESET) {
		(void)complain("cannot read the answer", strerror(errno));
		return -1;
	}
	return n > 0 || errno == EINTR ? n : 0;
}

static int receive(struct input *in, bool json)
{
	struct ctl_shown shown = {.columns = 0};
	size_t seen = 0;

	for (;;) {
		char *end = in->len > seen ? memchr(in->data + seen, '\n',
						     in->len - seen)
					   : NULL;
		size_t used;
		ssize_t n;
		int code;

		if (!end) {
			seen = in->len;
			errno = 0;
			n = fill(in);
			if (n < 0 && errno != EINTR)
				return CTL_NO_SERVER;
			if (n == 0)
				return complain(
					"the answer has no end: the server "
					"has closed the connection",
					NULL);
			in->len += n > 0 ? (size_t)n : 0;
			continue;
		}
		*end = '\0';
		code = ctl_answer_print(&shown, in->data, json);
		if (code >= 0)
			return code;
		used = (size_t)(end + 1 - in->data);
		in->len -= used;
		memmove(in->data, end + 1, in->len);
		seen = 0;
	}
}

static int ask(const struct flags *flags, const char *path, const char *command)
{
	struct input in = {.fd = -1};
	int code = dial(path, flags->draining, &in.fd);

	if (code == 0 && send_all(in.fd, command) != 0)
		code = complain("cannot send the command", strerror(errno));
	if (code == 0)
		code = receive(&in, flags->json);
	free(in.data);
	if (in.fd >= 0)
		(void)close(in.fd);
	return code;
}

int ctl_run(const struct flags *flags)
{
	char path[RELAY_CONTROL_PATH];
	char *command = NULL;
	int code;

	if (find_path(flags, path) != 0)
		return complain("cannot tell the path of the socket", NULL);
	code = join(flags, &command);
	if (code == 0)
		code = ask(flags, path, command);
	free(command);
	return code;
}
