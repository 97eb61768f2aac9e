/* SPDX-License-Identifier: MPL-2.0 */

/* Threads, and what they leave to others. */

#include <signal.h>

#include <strelaysrv/thread.h>

/* A thread's own faults, which it must not have blocked to be reported. */
static const int faults[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

int relay_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t mask;
	pthread_t ignored;
	int error = pthread_attr_init(&attr);

	if (error)
		return error;
	(void)sigfillset(&mask);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigdelset(&mask, faults[i]);
	error = pthread_attr_setsigmask_np(&attr, &mask);
	if (!error && !thread)
		error = pthread_attr_setdetachstate(
			&attr, PTHREAD_CREATE_DETACHED);
	if (!error)
		error = pthread_create(
			thread ? thread : &ignored, &attr, run, arg);
	(void)pthread_attr_destroy(&attr);
	return error;
}
