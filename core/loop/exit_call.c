/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reports calls of _exit() and _Exit() by modules.
 *
 * No function can be registered for such a call.  But a module's call of either
 * function finds the program's symbol before that of the C library, since the
 * program exports it (exports.map).
 */

#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/code_map.h"
#include "loop/crash.h"

static _Noreturn void end(const char *call, int status, uintptr_t back)
{
	/* The return address may be one byte behind the end of the code. */
	const struct code_owner *caller = code_map_find(back - 1);

	/* The server's own calls are meant. */
	if (!caller || !caller->is_program)
		crash_tell_exit(call, status & 0xff, back - 1);
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

void _exit(int status)
{
	end("_exit", status, (uintptr_t)__builtin_return_address(0));
}

void _Exit(int status)
{
	end("_Exit", status, (uintptr_t)__builtin_return_address(0));
}
