/* SPDX-License-Identifier: MPL-2.0 */

/* stuck-worker: holds up worker 0, or the control thread, for as long as a file
 * is there; worker 0 may log much meanwhile. */

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/module.h>
#include <strelaysrv/thread.h>

#define LOOKS_MOST 60000 /* ten minutes: no test takes longer */
#define RECORDS    4000 /* with 400 bytes each, more than a queue has room for */

struct conf {
	const char *file;
	int64_t in;
};

static const char *const places[] = {"worker", "control", "leaving",
	"worker-event", "control-event", "control-talk", NULL};
enum {
	IN_WORKER,
	IN_CONTROL,
	IN_LEAVING,
	IN_WORKER_EVENT,
	IN_CONTROL_EVENT,
	IN_CONTROL_TALK,
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, file, const char *, "file", RELAY_STRING, "hold",
		1, 4095, "the file"),
	RELAY_OPT(struct conf, in, int64_t, "in", RELAY_CHOICE, "worker", 0, 0,
		"which thread: worker 0, also when it leaves, or control, also "
		"while worker 0 logs much; an event of libevent's own, or a "
		"timer of the server",
		.choices = places),
	RELAY_OPT_END,
};

/* Makes another file, FILE.held or FILE.told, so that a test can wait for that.
 */
static void note(const struct conf *conf, const char *what)
{
	char path[4200];
	int fd;

	if (access(conf->file, F_OK) != 0)
		return;
	(void)snprintf(path, sizeof(path), "%s.%s", conf->file, what);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)close(fd);
}

/* Only one thread has an event. */
static struct event **event_of(struct relay_ctx *cx)
{
	static struct event *event;

	(void)cx;
	return &event;
}

static int64_t look(struct relay_ctx *cx, void *arg)
{
	const struct timespec a_while = {0, 10 * 1000000};
	const struct conf *conf = cx->conf;

	(void)arg;
	note(conf, "held");
	for (int i = 0; i < LOOKS_MOST && access(conf->file, F_OK) == 0; i++)
		nanosleep(&a_while, NULL);
	return 10;
}

static int64_t talk(struct relay_ctx *cx, void *arg)
{
	const struct conf *conf = cx->conf;
	char held[4200];

	(void)arg;
	(void)snprintf(held, sizeof(held), "%s.held", conf->file);
	if (access(held, F_OK) != 0)
		return 10;
	for (int i = 0; i < RECORDS && access(conf->file, F_OK) == 0; i++)
		relay_log(cx, RELAY_DEBUG, "%0400d", i);
	note(conf, "told");
	return 10;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval again = {0, 10000};
	struct event **event = event_of(arg);

	(void)fd;
	(void)what;
	(void)look(arg, NULL);
	(void)event_add(*event, &again);
}

static int add_event(struct relay_ctx *cx, struct relay_err *err)
{
	const struct timeval soon = {0, 10000};
	struct event **event = event_of(cx);

	*event = evtimer_new(relay_event_base(cx), on_event, cx);
	return *event && event_add(*event, &soon) == 0
		       ? 0
		       : relay_fail(err, "no event");
}

static void remove_event(struct relay_ctx *cx)
{
	struct event **event = event_of(cx);

	if (*event)
		event_free(*event);
	*event = NULL;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	if (((const struct conf *)cx->conf)->in == IN_CONTROL_EVENT)
		return add_event(cx, err);
	if (((const struct conf *)cx->conf)->in != IN_CONTROL &&
		((const struct conf *)cx->conf)->in != IN_CONTROL_TALK)
		return 0;
	return relay_timer_add(cx, 10, look, NULL)
		       ? 0
		       : relay_fail(err, "no timer");
}

static void worker_stop(struct relay_ctx *cx)
{
	if (((const struct conf *)cx->conf)->in == IN_LEAVING &&
		cx->worker == 0)
		(void)look(cx, NULL);
	if (cx->worker == 0)
		remove_event(cx);
}

static void stop(struct relay_ctx *cx)
{
	remove_event(cx);
}

static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	int64_t in = ((const struct conf *)cx->conf)->in;

	if (in == IN_WORKER_EVENT && cx->worker == 0)
		return add_event(cx, err);
	if ((in != IN_WORKER && in != IN_CONTROL_TALK) || cx->worker != 0)
		return 0;
	return relay_timer_add(cx, 10, in == IN_WORKER ? look : talk, NULL)
		       ? 0
		       : relay_fail(err, "no timer");
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("stuck-worker", "1", "holds up a worker"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.start = start,
	.worker_start = worker_start,
	.worker_stop = worker_stop,
	.stop = stop,
};
