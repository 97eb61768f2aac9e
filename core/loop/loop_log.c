/* SPDX-License-Identifier: MPL-2.0 */

/* Wakes the control thread to deliver the log records of other threads. */

#include "log/log.h"
#include "loop/loop.h"

static bool log_is_here(void *control)
{
	return loop_current == control;
}

static void log_message(struct loop *loop, void *arg)
{
	(void)loop;
	(void)arg;
	log_woken();
}

static int log_wake(void *control)
{
	return loop_post(control, log_message, NULL, 0);
}

void loop_attach_log(struct loop *control)
{
	log_attach(&(struct log_thread){
		.is_here = log_is_here, .wake = log_wake, .arg = control});
}
