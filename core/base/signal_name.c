/* SPDX-License-Identifier: MPL-2.0 */

/* The signals of signal(7). sigabbrev_np() is in few C libraries. */

#include <signal.h>
#include <stddef.h>

#include "base/signal_name.h"

#define NAME(signal) [signal] = #signal

static const char *const names[] = {NAME(SIGABRT), NAME(SIGALRM), NAME(SIGBUS),
	NAME(SIGCHLD), NAME(SIGCONT), NAME(SIGFPE), NAME(SIGHUP), NAME(SIGILL),
	NAME(SIGINT), NAME(SIGIO), NAME(SIGKILL), NAME(SIGPIPE), NAME(SIGPROF),
	NAME(SIGPWR), NAME(SIGQUIT), NAME(SIGSEGV), NAME(SIGSTOP), NAME(SIGSYS),
	NAME(SIGTERM), NAME(SIGTRAP), NAME(SIGTSTP), NAME(SIGTTIN),
	NAME(SIGTTOU), NAME(SIGURG), NAME(SIGUSR1), NAME(SIGUSR2),
	NAME(SIGVTALRM), NAME(SIGWINCH), NAME(SIGXCPU), NAME(SIGXFSZ)};

const char *signal_name(int number)
{
	const size_t count = sizeof(names) / sizeof(names[0]);

	if (number < 0 || (size_t)number >= count || !names[number])
		return "an unknown signal";
	return names[number];
}
