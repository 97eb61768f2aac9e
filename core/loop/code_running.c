/* SPDX-License-Identifier: MPL-2.0 */

/* Asks a thread by a signal which code it runs. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <event2/event.h>

#include "loop/code_map.h"
#include "loop/code_running.h"
#include "loop/loop.h"

#define WAIT_MS 100
#define LOOK_MS 10
/* bytes; struct event has 128 in libevent 2.1 */
#define EVENT_MOST 256
/* Of struct event_base, which has the running event at 456 in libevent 2.1. */
#define BASE_MOST 512

/* Global: a signal handler has no argument for context. */
static atomic_uint asked, answered; /* the number of the last question */
static _Atomic(const struct code_owner *) answer;

/* Where struct event_base has its running event; 0: unknown.  Libevent 2.1
 * reads through it in event_base_get_running_event() also when there is none,
 * as in a thread that waits on a machine that stood still. */
static size_t running_at;

static void find_running(evutil_socket_t fd, short what, void *arg)
{
	const struct event *event = event_base_get_running_event(arg);
	const void *word[BASE_MOST / sizeof(void *)];
	unsigned found = 0;

	(void)fd;
	(void)what;
	if (!code_map_read((uintptr_t)arg, word, sizeof(word)))
		return;
	for (size_t i = 0; i < BASE_MOST / sizeof(void *); i++)
		if (word[i] == event) {
			running_at = i * sizeof(void *);
			found++;
		}
	if (found != 1)
		running_at = 0;
}

/* Without memory only stacks are looked at. */
static void learn_running(void)
{
	struct event_base *base = event_base_new();
	struct event *event =
		base ? event_new(base, -1, 0, find_running, base) : NULL;

	if (event) {
		event_active(event, EV_TIMEOUT, 1);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		event_free(event);
	}
	if (base)
		event_base_free(base);
}

static const void *running_event(void)
{
	const void *event = NULL;

	if (!loop_current || !running_at ||
		!code_map_read((uintptr_t)loop_current->base + running_at,
			&event, sizeof(event)))
		return NULL;
	return event;
}

/* The module whose event the thread runs.  It may have freed the event since
 * then, so a copy is asked; the loops have no locks that a handler could wait
 * for. */
static const struct code_owner *owner_of_event(void)
{
	const void *event = running_event();
	_Alignas(max_align_t) unsigned char copy[EVENT_MOST];
	size_t size = event_get_struct_event_size();
	const struct code_owner *owner;

	if (!event || size > sizeof(copy) ||
		!code_map_read((uintptr_t)event, copy, size))
		return NULL;
	owner = code_map_find((uintptr_t)event_get_callback((void *)copy));
	return owner && !owner->is_program ? owner : NULL;
}

static void on_question(int number, siginfo_t *info, void *context)
{
	uintptr_t pc = 0, sp = (uintptr_t)__builtin_frame_address(0);
	const struct code_owner *owner;
	int error = errno;

	(void)number;
	if (info->si_code == SI_TKILL && info->si_pid == getpid()) {
		code_map_registers(context, &pc, &sp);
		owner = owner_of_event();
		if (!owner)
			owner = code_map_find(pc);
		/* If a library's code runs, its nearest known caller is
		 * responsible. */
		if (!owner)
			owner = code_map_caller(sp, false);
		atomic_store(&answer, owner);
		atomic_store(&answered, atomic_load(&asked));
	}
	errno = error;
}

int code_running_init(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};

	learn_running();
	action.sa_sigaction = on_question;
	(void)sigemptyset(&action.sa_mask);
	return sigaction(SIGURG, &action, NULL);
}

const struct code_owner *code_running(const struct loop *loop)
{
	const struct code_owner *owner;
	pid_t thread = atomic_load(&loop->thread);
	unsigned question = atomic_fetch_add(&asked, 1) + 1;

	/* A thread that has ended meanwhile does not answer. */
	if (thread == 0 || syscall(SYS_tgkill, getpid(), thread, SIGURG) != 0)
		return NULL;
	for (int ms = 0; atomic_load(&answered) != question; ms += LOOK_MS) {
		if (ms >= WAIT_MS)
			return NULL;
		(void)poll(NULL, 0, LOOK_MS);
	}
	owner = atomic_load(&answer);
	return owner && !owner->is_program ? owner : NULL;
}
