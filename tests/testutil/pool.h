/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pool.h - fetches a pool's list of relays, over http or https.
 */
#ifndef POOL_H
#define POOL_H

#include "candidates.h"
#include "client_state.h"
#include "client_uri.h"

struct pool;

/*
 * The list, which the callee then owns; or NULL with why.  May free the pool.
 */
typedef void pool_fn(struct candidates *list,
	const struct relay_client_error *why, void *arg);

/* NULL with err if it cannot start. */
struct pool *pool_start(struct relay_client *client,
	const struct client_uri *uri, pool_fn *done, void *arg,
	struct relay_err *err);
/* NULL is allowed. */
void pool_free(struct pool *pool);

#endif
