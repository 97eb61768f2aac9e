/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The function that a thread was started with.
 */
#ifndef THREAD_FUNCTION_H
#define THREAD_FUNCTION_H

#include <stdint.h>

/* Its address, if relay_thread_start() has started the calling thread; else 0.
 * Safe in a signal handler. */
uintptr_t thread_function(void);

#endif
