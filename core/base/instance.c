/* SPDX-License-Identifier: MPL-2.0 */

/* Which server a thread works for. */

#include "base/instance.h"

/* Global: a thread that nobody told whom it works for must find a server. */
struct instance instance_first;

_Thread_local struct instance *instance = &instance_first;
