/* SPDX-License-Identifier: MPL-2.0 */

/* Asks all workers for an answer. */

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/posts.h"
#include "base/time_span.h"
#include "loop/loop.h"
#include "workers/workers.h"
#include "workers/workers_answer.h"
#include "workers/workers_state.h"

/* How long a responsive worker may take to answer. */
#define ANSWER_MS 3000
/* The time between two looks grows from the first to the second. */
#define LOOK_FIRST_MS 1
#define LOOK_MOST_MS  64

/* Freed by the last owner: a worker may answer after the wait has ended. */
struct probe {
	atomic_uint owners;
	struct posts answered; /* once for each worker */
	unsigned missing;
};

struct workers_ask {
	struct probe *probe; /* one reference is owned */
	struct event *timer; /* owned */
	int64_t next_ms, waited_ms;
	void (*over)(bool answer, void *arg);
	void *arg;
};

static void probe_release(struct probe *probe)
{
	if (atomic_fetch_sub(&probe->owners, 1) != 1)
		return;
	posts_finish(&probe->answered);
	free(probe);
}

static void probe_answer(struct loop *loop, void *arg)
{
	struct probe *probe = *(struct probe **)arg;

	(void)loop;
	posts_add(&probe->answered);
	probe_release(probe);
}

/* NULL without memory. */
static struct probe *probe_send(void)
{
	const struct workers_state *state = instance->workers;
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe || posts_init(&probe->answered) != 0) {
		free(probe);
		return NULL;
	}
	atomic_store(&probe->owners, 1);
	for (unsigned i = 0; i < state->count; i++) {
		struct worker *worker = workers_get(i);

		if (!worker->running)
			continue;
		atomic_fetch_add(&probe->owners, 1);
		/* Without memory, the answer of this one is unknown: the caller
		 * goes on. */
		if (loop_post(&worker->loop, probe_answer, &probe,
			    sizeof(probe)) == 0)
			probe->missing++;
		else
			probe_release(probe);
	}
	return probe;
}

/* Whether all have answered by now. */
static bool probe_is_answered(struct probe *probe)
{
	while (probe->missing > 0 && posts_take(&probe->answered, 0))
		probe->missing--;
	return probe->missing == 0;
}

static bool probe_wait(struct probe *probe)
{
	const int64_t until_ms = loop_clock_ms() + ANSWER_MS;

	while (probe->missing > 0 && posts_take(&probe->answered, until_ms))
		probe->missing--;
	return probe->missing == 0;
}

bool workers_answer(void)
{
	struct probe *probe = probe_send();
	bool result;

	/* Without memory the answer is unknown: the caller goes on. */
	if (!probe)
		return true;
	result = probe_wait(probe);
	probe_release(probe);
	return result;
}

void workers_ask_free(struct workers_ask *ask)
{
	if (!ask)
		return;
	if (ask->timer)
		event_free(ask->timer);
	if (ask->probe)
		probe_release(ask->probe);
	free(ask);
}

static int wait_for_look(struct workers_ask *ask)
{
	const struct timeval wait = time_span_val(ask->next_ms);

	return evtimer_add(ask->timer, &wait);
}

static void look(evutil_socket_t fd, short what, void *arg)
{
	struct workers_ask *ask = arg;
	const struct workers_ask asked = *ask;
	bool answer = probe_is_answered(ask->probe);

	(void)fd;
	(void)what;
	/* The sum of the waits, not the clock: while the whole process is
	 * suspended, no worker can answer. */
	ask->waited_ms += ask->next_ms;
	if (ask->next_ms < LOOK_MOST_MS)
		ask->next_ms *= 2;
	if (!answer && ask->waited_ms < ANSWER_MS && wait_for_look(ask) == 0)
		return;
	workers_ask_free(ask);
	asked.over(answer, asked.arg);
}

struct workers_ask *workers_ask(void (*over)(bool answer, void *arg), void *arg)
{
	struct workers_ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return NULL;
	*ask = (struct workers_ask){
		.next_ms = LOOK_FIRST_MS, .over = over, .arg = arg};
	ask->timer = evtimer_new(loop_current->base, look, ask);
	ask->probe = ask->timer ? probe_send() : NULL;
	if (ask->probe && wait_for_look(ask) == 0)
		return ask;
	workers_ask_free(ask);
	return NULL;
}
