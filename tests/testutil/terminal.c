/* SPDX-License-Identifier: MPL-2.0 */

/* Connects a session to stdin and stdout. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "terminal.h"

#define BUFFER ((size_t)64 * 1024)
#define LOOK_S 1
/* Most reads from a terminal, which returns one line at a time. */
#define TYPED_MAX 64

/* One direction, with the data that was read and not yet written. */
struct way {
	bool ended;  /* the end was forwarded, or cannot be */
	bool at_end; /* the end was read */
	size_t at, len;
	uint64_t passed;
	struct event *readable, *writable; /* owned */
	uint8_t data[BUFFER];
};

struct terminal {
	int fd;  /* owned: the session */
	int out; /* stdout, or owned: see open_own() */
	terminal_fn *ended;
	void *arg;
	bool stdin_is_tty, last;
	size_t stdout_step;  /* most bytes of one write, so that it does not
				block */
	const char *problem; /* why a direction has failed */
	struct event *look;  /* owned; see look_for_hangup() */
	struct way up, down; /* stdin to session, session to stdout */
};

static void stop(struct terminal *t)
{
	struct event *all[] = {t->up.readable, t->up.writable, t->down.readable,
		t->down.writable};

	(void)evtimer_del(t->look);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		(void)event_del(all[i]);
}

static bool is_ready(int fd, short what)
{
	struct pollfd p = {fd, what, 0};

	return poll(&p, 1, 0) > 0;
}

/*
 * Discard text typed until now, above all a Ctrl-D: it is not meant for the
 * next session.
 */
static void take_typed(struct terminal *t)
{
	struct way *up = &t->up;
	bool sends = !up->ended && up->len == 0;

	for (int i = 0; i < TYPED_MAX && is_ready(STDIN_FILENO, POLLIN); i++) {
		ssize_t n = read(STDIN_FILENO, up->data, BUFFER), sent = 0;

		if (n <= 0)
			return;
		if (sends)
			sent = send(t->fd, up->data, (size_t)n,
				MSG_NOSIGNAL | MSG_DONTWAIT);
		up->passed += sent > 0 ? (size_t)sent : 0;
		sends = sent == n;
	}
}

/* Must be the last action of an event. */
static void finish(struct terminal *t, const char *problem)
{
	stop(t);
	if (t->stdin_is_tty && !t->up.at_end)
		take_typed(t);
	t->ended(problem, t->arg);
}

/* The session accepts no more data, but still delivers some. */
static void give_up_sending(struct terminal *t, const char *problem)
{
	t->problem = problem;
	t->up.ended = true;
	(void)event_del(t->up.readable);
	(void)event_del(t->up.writable);
}

static bool both_ended(const struct terminal *t)
{
	return t->down.ended && (t->up.ended || t->stdin_is_tty);
}

/* stdin to session. */

static void pass_end_up(struct terminal *t)
{
	t->up.at_end = t->up.ended = true;
	(void)event_del(t->up.readable);
	/*
	 * Fails only if the session has ended, which the next read will report.
	 */
	(void)shutdown(t->fd, SHUT_WR);
	if (both_ended(t))
		finish(t, t->problem);
}

static void write_up(struct terminal *t)
{
	struct way *up = &t->up;

	while (up->len > 0) {
		ssize_t n = send(t->fd, up->data + up->at, up->len,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			(void)event_del(up->readable);
			(void)event_add(up->writable, NULL);
			return;
		}
		if (n < 0) {
			give_up_sending(t, "the session was cut off while "
					   "sending");
			if (both_ended(t))
				finish(t, t->problem);
			return;
		}
		up->at += (size_t)n;
		up->len -= (size_t)n;
		up->passed += (size_t)n;
	}
	(void)event_add(up->readable, NULL);
}

static void stdin_readable(evutil_socket_t fd, short what, void *arg)
{
	struct terminal *t = arg;
	ssize_t n = read(fd, t->up.data, BUFFER);

	(void)what;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		finish(t, "stdin cannot be read");
		return;
	}
	if (n == 0) {
		pass_end_up(t);
		return;
	}
	t->up.at = 0;
	t->up.len = (size_t)n;
	write_up(t);
}

static void session_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	write_up(arg);
}

/* Session to stdout. */

/*
 * Close stdout, because its reader may send to our stdin only after that.
 * Replace the descriptor by another file, so that number 1 is not reused.
 */
static int end_stdout(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), result;

	if (null < 0)
		return -1;
	/* Closing a file may report that the disk is full. */
	result = close(STDOUT_FILENO);
	if (dup2(null, STDOUT_FILENO) < 0)
		result = -1;
	(void)close(null);
	return result;
}

static void pass_end_down(struct terminal *t)
{
	const struct timeval soon = {LOOK_S, 0};

	t->down.ended = true;
	if (t->last && end_stdout())
		t->problem = "stdout cannot be written";
	(void)event_del(t->down.readable);
	(void)evtimer_add(t->look, &soon);
	if (both_ended(t))
		finish(t, t->problem);
}

/*
 * After its end was read, a socket is always readable.  So the read event
 * cannot report that the relay has closed the session, or that keep-alive has
 * found it unreachable; while stdin is silent, nothing else does.  Therefore
 * check regularly.  The relay decides how long a session may be idle.
 */
static void look_for_hangup(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = {LOOK_S, 0};
	struct terminal *t = arg;
	struct pollfd p = {t->fd, 0, 0};

	(void)fd;
	(void)what;
	if (poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP)))
		finish(t, "the session was cut off before stdin had ended");
	else
		(void)evtimer_add(t->look, &soon);
}

static void await_stdout(struct terminal *t)
{
	(void)event_del(t->down.readable);
	(void)event_add(t->down.writable, NULL);
}

static void write_down(struct terminal *t)
{
	struct way *down = &t->down;

	while (down->len > 0) {
		size_t step =
			down->len < t->stdout_step ? down->len : t->stdout_step;
		ssize_t n;

		if (!is_ready(t->out, POLLOUT)) {
			await_stdout(t);
			return;
		}
		n = write(t->out, down->data + down->at, step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			await_stdout(t);
			return;
		}
		if (n < 0) {
			finish(t, "stdout cannot be written");
			return;
		}
		down->at += (size_t)n;
		down->len -= (size_t)n;
		down->passed += (size_t)n;
	}
	if (down->at_end)
		pass_end_down(t);
	else
		(void)event_add(down->readable, NULL);
}

static void session_readable(evutil_socket_t fd, short what, void *arg)
{
	struct terminal *t = arg;
	ssize_t n = recv(fd, t->down.data, BUFFER, MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		finish(t, errno == ETIMEDOUT
				  ? "the relay does not answer any more"
				  : "the session was reset; its last bytes may "
				    "be missing");
		return;
	}
	t->down.at_end = n == 0;
	t->down.at = 0;
	t->down.len = (size_t)n;
	write_down(t);
}

static void stdout_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	write_down(arg);
}

/*
 * A writable pipe has room for at least PIPE_BUF bytes; a larger write may
 * block.
 */
static size_t step_of_stdout(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return BUFFER;
	return PIPE_BUF;
}

/*
 * Writing to a stopped terminal would block.  Opened again, it can be
 * non-blocking without affecting others.  The terminal of another user cannot
 * be opened.
 */
static int open_own(void)
{
	int fd = -1;

	if (isatty(STDOUT_FILENO) == 1)
		fd = open("/proc/self/fd/1",
			O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? STDOUT_FILENO : fd;
}

static int make_events(struct terminal *t, struct event_base *base)
{
	t->up.readable = event_new(
		base, STDIN_FILENO, EV_READ | EV_PERSIST, stdin_readable, t);
	t->up.writable = event_new(base, t->fd, EV_WRITE, session_writable, t);
	t->down.readable = event_new(
		base, t->fd, EV_READ | EV_PERSIST, session_readable, t);
	t->down.writable =
		event_new(base, t->out, EV_WRITE, stdout_writable, t);
	t->look = evtimer_new(base, look_for_hangup, t);
	if (!t->up.readable || !t->up.writable || !t->down.readable ||
		!t->down.writable || !t->look)
		return -1;
	return event_add(t->up.readable, NULL) ||
			       event_add(t->down.readable, NULL)
		       ? -1
		       : 0;
}

struct terminal *terminal_start(struct event_base *base, int fd, bool last,
	terminal_fn *ended, void *arg)
{
	struct terminal *t = calloc(1, sizeof(*t));

	if (!t) {
		(void)close(fd);
		return NULL;
	}
	t->fd = fd;
	t->last = last;
	t->ended = ended;
	t->arg = arg;
	t->out = open_own();
	t->stdin_is_tty = isatty(STDIN_FILENO) == 1;
	t->stdout_step = step_of_stdout();
	if (make_events(t, base) == 0)
		return t;
	terminal_free(t);
	return NULL;
}

uint64_t terminal_sent(const struct terminal *terminal)
{
	return terminal->up.passed;
}

uint64_t terminal_received(const struct terminal *terminal)
{
	return terminal->down.passed;
}

static void way_finish(struct way *way)
{
	if (way->readable)
		event_free(way->readable);
	if (way->writable)
		event_free(way->writable);
}

void terminal_free(struct terminal *terminal)
{
	if (!terminal)
		return;
	if (terminal->look)
		event_free(terminal->look);
	way_finish(&terminal->up);
	way_finish(&terminal->down);
	(void)close(terminal->fd);
	if (terminal->out != STDOUT_FILENO)
		(void)close(terminal->out);
	free(terminal);
}
