/* SPDX-License-Identifier: MPL-2.0 */

/* What the asking thread is given to ask, and its beginning and end. */

#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>
#include <utlist.h>

#include "shared/monotonic.h"
#include "asker.h"
#include "asker_state.h"

static void wake_up(const struct asker *asker)
{
	const uint64_t one = 1;

	/* It fails only if the thread has been woken up anyway. */
	(void)!write(asker->wake, &one, sizeof(one));
}

/* Of one source. */
static unsigned share_of(const struct asker *asker)
{
	return asker->places < 4 ? 1 : asker->places / 4;
}

static enum queue_room add(
	struct asker *asker, struct job *job, struct job **victim)
{
	unsigned most = asker->places, share = share_of(asker), taken;
	struct queue_item *item;
	enum queue_room room;

	pthread_mutex_lock(&asker->lock);
	taken = atomic_load(&asker->queued) + atomic_load(&asker->open);
	room = queue_add(&asker->queue, &job->waits, &job->question.source,
		taken < most ? most - taken : 0, share, &item);
	if (room <= QUEUE_MADE_ROOM && job->until_ms < asker->new_until_ms)
		asker->new_until_ms = job->until_ms;
	if (room == QUEUE_ROOM)
		atomic_fetch_add(&asker->queued, 1);
	pthread_mutex_unlock(&asker->lock);
	*victim = (struct job *)item;
	return room;
}

enum queue_room asker_push(struct asker *asker, const struct question *question,
	int64_t until_ms, struct question *lost)
{
	struct job *job = calloc(1, sizeof(*job));
	enum queue_room room;
	struct job *victim;

	if (!job)
		return QUEUE_NO_MEMORY;
	job->question = *question;
	job->began_ms = monotonic_now_ms();
	job->until_ms = until_ms;
	room = add(asker, job, &victim);
	if (room == QUEUE_MADE_ROOM) {
		*lost = victim->question;
		free(victim);
	}
	if (room <= QUEUE_MADE_ROOM)
		wake_up(asker);
	else
		free(job);
	return room;
}

static bool is_of(const struct queue_item *item, void *arg)
{
	const struct job *job = (const struct job *)item;
	const uint64_t *ticket = arg;

	return job->question.ticket.number == *ticket;
}

unsigned asker_drop(
	struct asker *asker, const struct queue_key *source, uint64_t ticket)
{
	struct queue_item *item, *list;
	unsigned dropped = 0;

	pthread_mutex_lock(&asker->lock);
	list = queue_take_of(&asker->queue, source, is_of, &ticket);
	pthread_mutex_unlock(&asker->lock);
	while ((item = list)) {
		DL_DELETE(list, item);
		free(item);
		dropped++;
	}
	atomic_fetch_sub(&asker->queued, dropped);
	return dropped;
}

void asker_use(struct asker *asker, struct setup *setup)
{
	setup->generation = ++asker->generation;
	asker->places = setup->places;
	pthread_mutex_lock(&asker->lock);
	setup_let_go(asker->next);
	asker->next = setup;
	pthread_mutex_unlock(&asker->lock);
	wake_up(asker);
}

unsigned asker_room(struct asker *asker, const struct queue_key *source)
{
	unsigned share = share_of(asker), held;

	if (share > QUEUE_PER_SOURCE)
		share = QUEUE_PER_SOURCE;
	pthread_mutex_lock(&asker->lock);
	held = queue_held(&asker->queue, source);
	pthread_mutex_unlock(&asker->lock);
	return held < share ? share - held : 0;
}

bool asker_is_outdated(const struct asker *asker, const struct asked *asked)
{
	return asked->generation && asked->generation != asker->generation;
}

unsigned asker_queued(const struct asker *asker)
{
	return atomic_load(&asker->queued);
}

unsigned asker_open(const struct asker *asker)
{
	return atomic_load(&asker->open);
}

/* The thread has ended, or was never started. */
static void dissolve(struct asker *asker)
{
	struct job *job;

	while ((job = asker->running)) {
		DL_DELETE(asker->running, job);
		transfer_end(job->transfer, &asker->loop);
		transfer_free(job->transfer);
		free(job);
	}
	while ((job = asker_take(asker)))
		free(job);
	while (asker->idle_count)
		transfer_free(asker->idle[--asker->idle_count]);
	curl_loop_close(&asker->loop);
	if (asker->woken)
		event_free(asker->woken);
	standing_timer_close(&asker->expiry);
	if (asker->base)
		event_base_free(asker->base);
	if (asker->wake >= 0)
		close(asker->wake);
	setup_let_go(asker->next);
	setup_let_go(asker->setup);
	pthread_mutex_destroy(&asker->lock);
	free(asker);
}

struct asker *asker_start(struct relay_ctx *cx, const struct libcurl *curl,
	struct setup *setup, relay_post_fn *told,
	void (*lost)(struct relay_ctx *cx, const struct asked *asked),
	struct relay_err *err)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker || pthread_mutex_init(&asker->lock, NULL) != 0) {
		free(asker);
		relay_fail(err, "out of memory");
		return NULL;
	}
	asker->cx = cx;
	asker->told = told;
	asker->lost = lost;
	asker->wake = -1;
	asker->setup = setup_hold(setup);
	asker->places = setup->places;
	asker->generation = setup->generation = 1;
	asker->new_until_ms = asker->look_ms = INT64_MAX;
	if (asker_thread_open(asker, curl) == 0 &&
		relay_thread_start(&asker->thread, asker_thread_run, asker) ==
			0)
		return asker;
	dissolve(asker);
	relay_fail(err, "cannot make an event loop or a thread");
	return NULL;
}

void asker_stop(struct asker *asker)
{
	if (!asker)
		return;
	pthread_mutex_lock(&asker->lock);
	asker->stop = true;
	pthread_mutex_unlock(&asker->lock);
	wake_up(asker);
	pthread_join(asker->thread, NULL);
	dissolve(asker);
}
