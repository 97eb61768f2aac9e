/* SPDX-License-Identifier: MPL-2.0 */

/*
 * data.h - the module's options and data, which its files share.
 *
 * admission.c  descriptor, options, life cycle
 * decide.c     the filters, on workers
 * asking.c     from a question to its answer, on the control thread
 * asker.c      what the asking thread is given to ask
 * asker_thread.c  that thread
 * transfer.c   one HTTP request
 * setup.c      options and files, for that thread
 * here.c       the devices that are here by an answer
 * look.c       every second: these, and who has left
 * terms.c      rates, weights and quotas of these
 * counts.c     metrics
 * answer.c     what an answer says (pure)
 * question.c   what is asked
 * unsettled.h  which questions are not settled (pure)
 * queue.c      what waits, of one source after the other
 * cache.c      answers that still count (pure)
 * breaker.c    when an endpoint that fails is asked again (pure)
 */
#ifndef DATA_H
#define DATA_H

#include <pthread.h>
#include <stdatomic.h>

#include <strelaysrv/module.h>

#include "asker.h"
#include "breaker.h"
#include "cache.h"
#include "conf.h"
#include "here_state.h"
#include "shared/ranges.h"
#include "unsettled.h"

enum {
	COUNT_ASKED,
	COUNT_ANSWERED,
	COUNT_FAILURES,
	COUNT_HITS,
	COUNT_WITHDRAWN,
	COUNT_DURATION,
	COUNT_OPEN,
	COUNT_QUEUED,
	COUNT_CACHED,
	COUNT_BREAKER,
	COUNTS
};

struct data {
	pthread_mutex_t lock; /* of the next three */
	struct cache cache;
	struct here here;
	struct ranges exempt;
	struct relay_metric *counts[COUNTS];
	/* Control thread. */
	struct asker *asker;
	struct breaker breaker;
	struct setup *next; /* prepared by a reload, like next_exempt */
	struct ranges next_exempt;
	int64_t answer_ms; /* the server's answer-timeout */
	enum failure last_failure;
	struct relay_log_kind denied, withdrawn, failed, late, full, unlimited,
		uncounted, used_up, broken, mended;
	/* Any thread. */
	struct unsettled unsettled; /* for answers: questions of workers */
	struct relay_log_kind short_of_memory;
};

#endif
