/* SPDX-License-Identifier: MPL-2.0 */

/* The stack size of threads that relay_thread_start() does not start. */

#include <pthread.h>

#include "loop/thread_stack.h"

int thread_stack_default(void)
{
	pthread_attr_t attr;
	int error = pthread_getattr_default_np(&attr);

	if (error)
		return error;
	error = pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	if (!error)
		error = pthread_setattr_default_np(&attr);
	(void)pthread_attr_destroy(&attr);
	return error;
}
