/* SPDX-License-Identifier: MPL-2.0 */

/*
 * answer.h - how the log and /status report a pool's answer.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "state.h"

void answer_log(const struct relay_ctx *cx, const struct pool *pool,
	const struct request_result *result, const struct plan_next *next);
/* Sets pool->reason, which strangers can read at /status. */
void answer_note(struct pool *pool, const struct request_result *result,
	enum plan_outcome outcome);

#endif
