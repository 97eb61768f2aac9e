/* SPDX-License-Identifier: MPL-2.0 */

/* stuck-control: a reload never returns while a file is there. */

#include <time.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#define LOOKS_MOST 60000 /* ten minutes: no test takes longer */

static void reload(struct relay_ctx *cx)
{
	const struct timespec a_while = {0, 10 * 1000000};

	relay_log(cx, RELAY_NOTICE, "stuck");
	for (int i = 0; i < LOOKS_MOST && access("hold", F_OK) == 0; i++)
		nanosleep(&a_while, NULL);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("stuck-control", "1", "holds up the control thread"),
	.flags = RELAY_CONFINED,
	.reload = reload,
};
