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

static int resume_here(struct worker *worker, void *arg)
{
	(void)arg;
	return listeners_resume(worker);
}

static int close_here(struct worker *worker, void *arg)
{
	(void)arg;
	listeners_close(worker);
	return 0;
}

void upgrade_accept_end(void)
{
	(void)workers_call(pause_here, NULL);
	http_pause();
}

void upgrade_accept_again(void)
{
	if (workers_call(resume_here, NULL) != 0)
		log_core(RELAY_ERROR, "a worker cannot accept connections");
	http_resume();
}

void upgrade_accept_leave(void)
{
	(void)workers_call(close_here, NULL);
	http_leave();
}
