/* SPDX-License-Identifier: MPL-2.0 */

/* The event loop of a thread, and its inbox for messages of other threads. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"
#include "loop/crash_reason.h"
#include "loop/loop.h"

/* Between two looks at the sockets. */
#define CALLBACKS_MOST 1024

_Thread_local struct loop *loop_current;

struct loop_message {
	struct loop_message *next;
	loop_fn *fn;
	bool lasting; /* owned by the loop; loop_call() reuses it */
	_Alignas(max_align_t) unsigned char arg[];
};

int64_t loop_tick(struct loop *loop)
{
	int64_t now = clock_ms();

	atomic_store_explicit(&loop->turn_ms, now, memory_order_relaxed);
	return now;
}

/* The inbox is a stack.  Returns its messages in the order of posting. */
static struct loop_message *take_all(struct loop *loop)
{
	struct loop_message *stack = atomic_exchange_explicit(
		&loop->inbox, NULL, memory_order_acquire);
	struct loop_message *in_order = NULL;

	while (stack) {
		struct loop_message *next = stack->next;

		stack->next = in_order;
		in_order = stack;
		stack = next;
	}
	return in_order;
}

void loop_deliver(struct loop *loop)
{
	struct loop_message *message = take_all(loop);

	loop_tick(loop);
	while (message) {
		struct loop_message *next = message->next;
		bool lasting = message->lasting;

		/* When this returns, a lasting message may have been posted
		 * again. */
		message->fn(loop, message->arg);
		if (!lasting)
			free(message);
		message = next;
	}
	if (atomic_exchange(&loop->stopped, false))
		event_base_loopbreak(loop->base);
	loop_event_over(loop);
}

static void woken(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t count;
	bool failed;

	(void)what;
	/* Reads the eventfd before the inbox: a message that is posted between
	 * the two wakes the loop again. */
	failed = read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN;
	if (failed && !loop->unreadable)
		log_core(RELAY_ERROR, "cannot read an eventfd: %s",
			strerror(errno));
	loop->unreadable = failed;
	loop_deliver(loop);
}

static struct event_base *base_make(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (!config)
		return NULL;
	/* Only its own thread uses a base; others write to the eventfd. Without
	 * the limit, an event that its callback makes active again, as
	 * event_later() does without memory, would be the only one handled. */
	if (event_config_set_max_dispatch_interval(
		    config, NULL, CALLBACKS_MOST, 0) == 0 &&
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0 &&
		event_config_require_features(config, EV_FEATURE_ET) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

/* Returns NULL on success, else the name of the call that failed, with errno.
 */
static const char *prepare(struct loop *loop)
{
	errno = 0;
	loop->call = calloc(1, sizeof(*loop->call) + sizeof(void *));
	if (!loop->call)
		return "calloc(3)";
	loop->call->lasting = true;
	loop->base = base_make();
	if (!loop->base)
		return "epoll_create(2)";
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake_fd < 0)
		return "eventfd(2)";
	loop->wake = event_new(
		loop->base, loop->wake_fd, EV_READ | EV_PERSIST, woken, loop);
	if (!loop->wake || event_add(loop->wake, NULL) != 0)
		return "epoll_ctl(2)";
	/* Tries it once: otherwise a kernel that refuses to wait for events
	 * would be noticed only when other threads wait for this loop
	 * already. */
	if (event_base_loop(loop->base, EVLOOP_NONBLOCK) < 0)
		return "epoll_wait(2)";
	return NULL;
}

int loop_init(struct loop *loop, int index)
{
	const char *missing;
	int error;

	*loop = (struct loop){.index = index, .wake_fd = -1};
	loop_tick(loop);
	missing = prepare(loop);
	if (!missing)
		return 0;
	error = errno;
	log_core(RELAY_ERROR, "cannot make an event loop: %s: %s", missing,
		strerror(error ? error : ENOMEM));
	loop_finish(loop);
	return -1;
}

void loop_finish(struct loop *loop)
{
	struct loop_message *message = take_all(loop);

	while (message) {
		struct loop_message *next = message->next;

		if (!message->lasting)
			free(message);
		message = next;
	}
	free(loop->call);
	loop->call = NULL;
	if (loop->wake)
		event_free(loop->wake);
	loop->wake = NULL;
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	loop->wake_fd = -1;
	if (loop->base)
		event_base_free(loop->base);
	loop->base = NULL;
}

/* A write to an eventfd succeeds until its count is close to 2^64. */
static void wake(struct loop *loop)
{
	const uint64_t one = 1;

	if (write(loop->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		crash_abort(
			"the server's own descriptor was closed, by whom is "
			"not known");
}

/*
 * Passes ownership of the message to the receiver.  Only the sender that found
 * the inbox empty wakes the receiver, which then reads all messages.
 */
static void put(struct loop *loop, struct loop_message *message)
{
	struct loop_message *newest =
		atomic_load_explicit(&loop->inbox, memory_order_relaxed);

	do {
		message->next = newest;
	} while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &newest,
		message, memory_order_release, memory_order_relaxed));
	if (!newest)
		wake(loop);
}

int loop_post(struct loop *loop, loop_fn *fn, const void *arg, size_t len)
{
	struct loop_message *message = malloc(sizeof(*message) + len);

	if (!message)
		return -1;
	message->fn = fn;
	message->lasting = false;
	if (len)
		memcpy(message->arg, arg, len);
	put(loop, message);
	return 0;
}

void loop_call(struct loop *loop, loop_fn *fn, void *arg)
{
	loop->call->fn = fn;
	memcpy(loop->call->arg, &arg, sizeof(arg));
	put(loop, loop->call);
}

/* Threads start with all signals blocked; this one is for code_running(). */
static void accept_questions(void)
{
	sigset_t question;

	(void)sigemptyset(&question);
	(void)sigaddset(&question, SIGURG);
	(void)pthread_sigmask(SIG_UNBLOCK, &question, NULL);
}

int loop_run(struct loop *loop)
{
	int result;

	accept_questions();
	atomic_store(&loop->thread, gettid());
	result = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	atomic_store(&loop->thread, 0);
	return result < 0 ? -1 : 0;
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopped, true);
	wake(loop);
}
