/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tries the system calls without which every connection would be lost: a
 * container's filter, or an emulator of a kernel, may refuse them.
 */
#ifndef NEEDED_CALLS_H
#define NEEDED_CALLS_H

#include <strelaysrv/err.h>

/* 0, or -1 with err, which names the call and the reason.  Any thread. */
int needed_calls_check(struct relay_err *err);

#endif
