/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pools.h - each pool's schedule: ask, judge, ask again.
 */
#ifndef POOLS_H
#define POOLS_H

#include "state.h"

/*
 * Checks that the certificate is the one the relay uses: the files may have
 * been replaced since the start.  0, or -1 with err.
 */
int pools_identify(struct relay_ctx *cx, struct relay_err *err);
/* Makes what the option `pools` needs.  0, or -1 with err and nothing made;
 * then one of the two others. */
int pools_prepare(
	struct relay_ctx *cx, const struct conf *conf, struct relay_err *err);
/* What is not there any more is left; what is new waits to be asked. */
void pools_commit(struct relay_ctx *cx);
void pools_abandon(struct relay_ctx *cx);
/* Plans a request to every pool: in `after_ms`, or as soon as allowed. */
void pools_ask_all(struct relay_ctx *cx, int64_t after_ms);
/* The same for pools that do not list the relay. */
void pools_ask_failing(struct relay_ctx *cx);
/* Cancels all requests. */
void pools_rest(struct relay_ctx *cx);
/* Handles answers that have arrived. */
void pools_hear(struct relay_ctx *cx);
/* Those for which there was no memory are asked. */
void pools_retry(struct relay_ctx *cx);
/* Frees all pools. */
void pools_finish(struct relay_ctx *cx);

#endif
