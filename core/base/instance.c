/* SPDX-License-Identifier: MPL-2.0 */

/* The server that a thread works for. */

#include "base/instance.h"

/* Global: the default of threads that relay_thread_start() did not start. */
struct instance instance_first;

_Thread_local struct instance *instance = &instance_first;
