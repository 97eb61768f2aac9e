/* SPDX-License-Identifier: MPL-2.0 */

/* Tells the seed of the schedule that has failed. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "told_seed.h"

static const uint64_t *present;

/* Also after a crash. */
static void tell(int number)
{
	char text[64];
	int len = snprintf(
		text, sizeof(text), "in schedule %" PRIu64 "\n", *present);

	if (write(STDERR_FILENO, text, (size_t)len) < 0)
		_exit(2);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

void told_seed(const uint64_t *seed)
{
	static const int fatal[] = {
		SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

	present = seed;
	for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		(void)signal(fatal[i], tell);
}
