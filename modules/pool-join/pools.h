/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pools.h - each pool's schedule of requests.
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
 * then call pools_commit() or pools_abandon(). */
int pools_prepare(
	struct relay_ctx *cx, const struct conf *conf, struct relay_err *err);
/* Drops the pools that were removed, and plans a request to the new ones. */
void pools_commit(struct relay_ctx *cx);
void pools_abandon(struct relay_ctx *cx);
/* Logs what may be wrong with the URL of a pool. */
void pools_warn_of(const struct relay_ctx *cx, const char *url);
/* Plans a request to every pool: in `after_ms`, or as soon as allowed. */
void pools_ask_all(struct relay_ctx *cx, int64_t after_ms);
/* The same for pools that do not list the relay. */
void pools_ask_failing(struct relay_ctx *cx);
/* Cancels all requests. */
void pools_rest(struct relay_ctx *cx);
/* Handles answers that have arrived. */
void pools_hear(struct relay_ctx *cx);
/* Plans requests for pools whose timer could not be made before. */
void pools_retry(struct relay_ctx *cx);
/* Frees all pools. */
void pools_finish(struct relay_ctx *cx);

#endif
