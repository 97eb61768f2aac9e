/* SPDX-License-Identifier: MPL-2.0 */

/* Starts threads: what they inherit, and which signals they block. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <strelaysrv/thread.h>

#include "base/instance.h"
#include "loop/thread_function.h"
#include "loop/thread_stack.h"

/* Signals of a thread's own faults.  They are not blocked, so that the fault
 * can be reported. */
static const int faults[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

/* The arguments of a new thread, which frees them. */
struct thread_start {
	struct instance *instance;
	void *(*run)(void *);
	void *arg;
};

/* Thread-local: the report of a fault on this thread needs it. */
static _Thread_local uintptr_t function;

uintptr_t thread_function(void)
{
	return function;
}

static void *begin(void *arg)
{
	const struct thread_start start = *(struct thread_start *)arg;

	free(arg);
	function = (uintptr_t)start.run;
	instance = start.instance;
	return start.run(start.arg);
}

/* A new thread inherits its creator's mask, so that is changed for a moment. */
static int create(pthread_t *thread, const pthread_attr_t *attr,
	struct thread_start *start)
{
	sigset_t mask, own;
	int error;

	(void)sigfillset(&mask);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigdelset(&mask, faults[i]);
	error = pthread_sigmask(SIG_SETMASK, &mask, &own);
	if (error)
		return error;
	error = pthread_create(thread, attr, begin, start);
	(void)pthread_sigmask(SIG_SETMASK, &own, NULL);
	return error;
}

int relay_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	struct thread_start *start = malloc(sizeof(*start));
	pthread_attr_t attr;
	pthread_t ignored;
	int error;

	if (!start)
		return ENOMEM;
	*start = (struct thread_start){instance, run, arg};
	error = pthread_attr_init(&attr);
	if (error)
		goto error_start;
	error = pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	if (!error && !thread)
		error = pthread_attr_setdetachstate(
			&attr, PTHREAD_CREATE_DETACHED);
	if (!error)
		error = create(thread ? thread : &ignored, &attr, start);
	(void)pthread_attr_destroy(&attr);
	if (!error)
		return 0;
error_start:
	free(start);
	return error;
}
