/* SPDX-License-Identifier: MPL-2.0 */

/* Accepting during an upgrade, in the old process. */

#include "http/http.h"
#include "life/upgrade_accept.h"
#include "log/log.h"
#include "peers/listeners.h"
#include "workers/workers.h"

static int pause_here(struct worker *worker, void *arg)
{
	(void)arg;
	listeners_pause(worker);
	return 0;
}

static void resume_here(struct worker *worker)
{
	if (listeners_resume(worker) != 0)
		log_core(RELAY_ERROR, "worker %d cannot accept connections",
			worker->loop.index);
}

static void close_here(struct worker *worker)
{
	listeners_close(worker);
}

void upgrade_accept_end(void)
{
	(void)workers_call(pause_here, NULL);
	http_pause();
}

/* A worker may have begun to hang since it paused.  The others, and the control
 * thread, go on. */
void upgrade_accept_again(void)
{
	if (workers_tell(resume_here) != 0)
		log_core(RELAY_ERROR,
			"out of memory: a worker accepts no connections");
	http_resume();
}

void upgrade_accept_leave(void)
{
	if (workers_tell(close_here) != 0)
		log_core(RELAY_WARNING,
			"out of memory: a worker keeps its listening sockets "
			"open while it drains");
	http_leave();
}
