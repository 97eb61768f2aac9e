/* SPDX-License-Identifier: MPL-2.0 */

/* slow-timer: its timer blocks the control thread for longer than allowed. */

#include <time.h>

#include <strelaysrv/module.h>

static int64_t sleep_a_while(struct relay_ctx *cx, void *arg)
{
	const struct timespec while_ = {0, 150 * 1000000};

	(void)cx;
	(void)arg;
	nanosleep(&while_, NULL);
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_timer_add(cx, 0, sleep_a_while, NULL)
		       ? 0
		       : relay_fail(err, "no timer");
}

static void reload(struct relay_ctx *cx)
{
	sleep_a_while(cx, NULL);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("slow-timer", "1", "holds up the control thread"),
	.flags = RELAY_CONFINED,
	.start = start,
	.reload = reload,
};
