/* SPDX-License-Identifier: MPL-2.0 */

/* crash-ways: ends the process when a connection comes, in one of many ways. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/module.h>

enum {
	OWN_THREAD,
	OWN_THREAD_LIBRARY,
	RAW_THREAD,
	RAW_THREAD_LIBRARY,
	RAW_THREAD_EXIT,
	RAW_THREAD__EXIT,
	EVENT,
	EVENT_LIBRARY,
	EXIT,
	UNDERSCORE_EXIT,
	CAPITAL_EXIT,
	QUICK_EXIT,
	CHILD__EXIT,
	ABORT,
	CLOSE
};
static const char *const ways[] = {"own-thread", "own-thread-library",
	"raw-thread", "raw-thread-library", "raw-thread-exit",
	"raw-thread-_exit", "event", "event-library", "exit", "_exit", "_Exit",
	"quick_exit", "child-_exit", "abort", "close", NULL};

struct conf {
	int64_t how;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, how, int64_t, "how", RELAY_CHOICE, "exit", 0, 0,
		"the way", .choices = ways),
	RELAY_OPT_END,
};

/* Memory that nobody may use.  Volatile, so that no compiler sees what happens;
 * not NULL, which sanitizers notice before the processor does. */
static char *volatile nowhere;
static volatile size_t sink;

static void *fault(void *arg)
{
	*nowhere = 1;
	return arg;
}

/* The fault is in the C library. */
static void *fault_in_library(void *arg)
{
	sink = strlen(nowhere);
	return arg;
}

static void *leave(void *arg)
{
	exit(7);
	return arg;
}

static void *leave_at_once(void *arg)
{
	_exit(7);
	return arg;
}

/* A child that ends is nothing to report. */
static void run_child(struct relay_ctx *cx)
{
	pid_t child = fork();

	if (child == 0)
		_exit(7);
	(void)waitpid(child, NULL, 0);
	relay_log(cx, RELAY_INFO, "child ended");
}

static void fire(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (arg)
		(void)fault_in_library(NULL);
	else
		(void)fault(NULL);
}

static void nothing(struct relay_ctx *cx, const void *arg)
{
	(void)cx;
	(void)arg;
}

/* What a wrong close() of a number that another thread uses does. */
static void close_eventfds(struct relay_ctx *cx)
{
	char path[64], to[64];

	for (int fd = 3; fd < 256; fd++) {
		ssize_t len;

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, to, sizeof(to) - 1);
		if (len > 0 && memmem(to, (size_t)len, "eventfd", 7))
			(void)close(fd);
	}
	/* Only a message to an empty inbox wakes its thread, which fails. */
	for (int at = relay_worker_count() - 1; at >= RELAY_CONTROL; at--)
		(void)relay_post(cx, at, nothing, NULL, 0);
}

static void begin_raw(void *(*run)(void *))
{
	pthread_t thread;

	(void)pthread_create(&thread, NULL, run, NULL);
}

static void begin_event(struct relay_ctx *cx, bool in_library)
{
	static const struct timeval now = {0, 0};

	(void)event_base_once(relay_event_base(cx), -1, EV_TIMEOUT, fire,
		in_library ? cx : NULL, &now);
}

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	(void)conn;
	(void)why;
	switch (((const struct conf *)cx->conf)->how) {
	case OWN_THREAD:
		(void)relay_thread_start(NULL, fault, NULL);
		break;
	case OWN_THREAD_LIBRARY:
		(void)relay_thread_start(NULL, fault_in_library, NULL);
		break;
	case RAW_THREAD:
		begin_raw(fault);
		break;
	case RAW_THREAD_LIBRARY:
		begin_raw(fault_in_library);
		break;
	case RAW_THREAD_EXIT:
		begin_raw(leave);
		break;
	case RAW_THREAD__EXIT:
		begin_raw(leave_at_once);
		break;
	case EVENT:
		begin_event(cx, false);
		break;
	case EVENT_LIBRARY:
		begin_event(cx, true);
		break;
	case EXIT:
		exit(7);
	case UNDERSCORE_EXIT:
		_exit(7);
	case CAPITAL_EXIT:
		_Exit(7);
	case QUICK_EXIT:
		quick_exit(7);
	case CHILD__EXIT:
		run_child(cx);
		break;
	case ABORT:
		abort();
	case CLOSE:
		close_eventfds(cx);
		break;
	}
	return RELAY_PASS;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	void *page =
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)cx;
	if (page == MAP_FAILED)
		return relay_fail(err, "no page");
	nowhere = page;
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("crash-ways", "2.5", "ends the process"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.init = init,
	.hooks = {.conn_accept = conn_accept},
};
