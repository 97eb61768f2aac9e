/* SPDX-License-Identifier: MPL-2.0 */

/* The messages of sd_notify(3), and when they are sent. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/metric.h>
#include <strelaysrv/server.h>
#include <strelaysrv/units.h>

#include "base/instance.h"
#include "base/time_span.h"
#include "life/life_state.h"
#include "life/systemd_notify.h"
#include "log/log.h"
#include "workers/loop_lag.h"

/* The interval of STATUS= without a watchdog. */
#define STATUS_MS      5000
#define SEND_TIMEOUT_S 1
/* How many times the loops are checked within the limit. */
#define CHECKS 4

static struct notify_state *self(void)
{
	return &instance->life->notify;
}

int64_t systemd_notify_stuck_limit_ms(
	const char *watchdog_usec, const char *watchdog_pid, pid_t self)
{
	int64_t usec, pid;

	if (!watchdog_usec || relay_int_parse(watchdog_usec, &usec, NULL) ||
		usec < 0)
		return 0;
	if (watchdog_pid &&
		(relay_int_parse(watchdog_pid, &pid, NULL) || pid != self))
		return 0;
	/* Loops answer every LOOP_LAG_BEAT_MS only: with a shorter limit a
	 * healthy loop would look stuck. */
	return usec / 2000 > LOOP_LAG_BEAT_MS * 2 ? usec / 2000
	       : usec                             ? LOOP_LAG_BEAT_MS * 2
						  : 0;
}

/* "/path", or "@name" in the abstract space. */
static int read_address(const char *path, struct relay_err *err)
{
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len < 2 ||
		len >= sizeof(self()->address.sun_path))
		return relay_fail(err,
			"NOTIFY_SOCKET is \"%.120s\", which is no path of a "
			"socket and no @name",
			path);
	self()->address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(self()->address.sun_path, path, len);
	if (path[0] == '@')
		self()->address.sun_path[0] = '\0';
	self()->address_len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
			    (path[0] == '/'));
	return 0;
}

int systemd_notify_init(struct relay_err *err)
{
	static const struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || !*path)
		return 0;
	if (read_address(path, err) != 0)
		return -1;
	self()->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (self()->fd < 0 || setsockopt(self()->fd, SOL_SOCKET, SO_SNDTIMEO,
				      &timeout, sizeof(timeout)) != 0) {
		self()->address_len = 0;
		return relay_fail(err, "no socket for NOTIFY_SOCKET: %s",
			strerror(errno));
	}
	self()->stuck_limit_ms = systemd_notify_stuck_limit_ms(
		getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), getpid());
	(void)unsetenv("WATCHDOG_PID");
	return 0;
}

/* A message that must arrive may wait SEND_TIMEOUT_S, once, for a slow manager.
 */
static int send_text(const char *text, bool must_arrive)
{
	int flags = MSG_NOSIGNAL |
		    (must_arrive && !self()->send_failed ? 0 : MSG_DONTWAIT);
	ssize_t n;

	if (!self()->address_len || self()->not_main)
		return 0;
	do
		n = sendto(self()->fd, text, strlen(text), flags,
			(const struct sockaddr *)&self()->address,
			self()->address_len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && !self()->send_failed)
		log_core(RELAY_WARNING,
			"cannot tell the service manager anything: %s",
			strerror(errno));
	self()->send_failed = n < 0;
	return n < 0 ? -1 : 0;
}

static int send_state(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* Sends a change of state, or STATUS=. */
static int send_state(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return send_text(text, strncmp(text, "STATUS=", 7) != 0);
}

/* STATUS= */

static void take_numbers(void)
{
	self()->devices =
		relay_metric_value(NULL, "core", "connections", "tls");
	self()->sessions = relay_metric_value(NULL, "core", "sessions", NULL);
}

static void status_line(char *out, size_t cap)
{
	if (self()->status)
		(void)snprintf(out, cap, "%s", self()->status);
	else
		(void)snprintf(out, cap,
			"connected devices: %" PRId64 ", sessions: %" PRId64,
			self()->devices, self()->sessions);
}

static void refresh_status(void)
{
	int64_t devices = self()->devices, sessions = self()->sessions;
	char line[200];

	take_numbers();
	if (devices == self()->devices && sessions == self()->sessions &&
		!atomic_exchange(&self()->hanging, false))
		return;
	/* A hang that lasts is shown in the status. */
	if (relay_hanging(line, sizeof(line)) > 0) {
		atomic_store(&self()->hanging, true);
		(void)send_state("STATUS=%s", line);
		return;
	}
	status_line(line, sizeof(line));
	(void)send_state("STATUS=%s", line);
}

void systemd_notify_status(const char *status)
{
	char line[200];

	if (!self()->address_len)
		return;
	self()->status = status;
	take_numbers();
	status_line(line, sizeof(line));
	(void)send_state("STATUS=%s", line);
}

/* WATCHDOG=1 */

/* The control thread itself runs this, so it is not stuck. */
static bool all_alive(void)
{
	unsigned worker;
	int64_t silent_ms = loop_lag_silence_ms(&worker);

	if (silent_ms <= self()->stuck_limit_ms) {
		self()->stuck_checks = 0;
		return true;
	}
	/* A single time may mean that the whole process was suspended. */
	if (++self()->stuck_checks == 2)
		log_core(RELAY_ERROR,
			"worker %u has not run its loop for %" PRId64
			" ms: the service manager is no longer told that all "
			"is well",
			worker, silent_ms);
	return false;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (self()->stuck_limit_ms && all_alive())
		(void)send_text("WATCHDOG=1", false);
	refresh_status();
}

static int start_timer(struct event_base *base)
{
	int64_t ms = self()->stuck_limit_ms ? self()->stuck_limit_ms / CHECKS
					    : STATUS_MS;
	struct timeval interval;

	if (ms > STATUS_MS)
		ms = STATUS_MS;
	interval = time_span_val(ms);
	self()->timer = event_new(base, -1, EV_PERSIST, on_timer, NULL);
	return self()->timer && event_add(self()->timer, &interval) == 0 ? 0
									 : -1;
}

/* Changes of state. */

int systemd_notify_ready(struct event_base *base)
{
	char line[200];

	if (!self()->address_len)
		return 0;
	take_numbers();
	status_line(line, sizeof(line));
	(void)send_state("READY=1\nMAINPID=%d\nSTATUS=%s", (int)getpid(), line);
	return self()->timer ? 0 : start_timer(base);
}

void systemd_notify_reloading(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)send_state("RELOADING=1\nMONOTONIC_USEC=%" PRId64
			 "\nSTATUS=reloading",
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void systemd_notify_reloaded(void)
{
	char line[200];

	if (!self()->address_len)
		return;
	take_numbers();
	status_line(line, sizeof(line));
	(void)send_state("READY=1\nSTATUS=%s", line);
}

/* Called on another thread, since the control thread may be what hangs.  The
 * socket and its address do not change while that thread runs. */
void systemd_notify_hanging(const char *text)
{
	char line[300];

	if (!self()->address_len || atomic_load(&self()->not_main))
		return;
	atomic_store(&self()->hanging, true);
	if (!text)
		return;
	(void)snprintf(line, sizeof(line), "STATUS=%s", text);
	(void)sendto(self()->fd, line, strlen(line),
		MSG_NOSIGNAL | MSG_DONTWAIT,
		(struct sockaddr *)&self()->address, self()->address_len);
}

void systemd_notify_stopping(const char *status)
{
	(void)send_state("STOPPING=1\nSTATUS=%s", status);
}

int systemd_notify_main_pid(pid_t pid)
{
	int result;

	self()->not_main = false;
	result = send_state("MAINPID=%d", (int)pid);
	self()->not_main = pid != getpid();
	return result;
}

void systemd_notify_finish(void)
{
	if (self()->timer)
		event_free(self()->timer);
	if (self()->fd >= 0)
		(void)close(self()->fd);
	self()->timer = NULL;
	self()->not_main = false;
	self()->fd = -1;
	self()->address_len = 0;
}
