/* SPDX-License-Identifier: MPL-2.0 */

/* latency.h - measures the time of a TCP connect to each relay of a list. */
#ifndef LATENCY_H
#define LATENCY_H

#include "candidates.h"
#include "client_state.h"

struct latency;

/*
 * Fills latency_us of all relays that answer, then calls done() once from the
 * loop, which may free it. list is borrowed until then.  NULL with err.
 */
struct latency *latency_start(struct relay_client *client,
	struct candidates *list, void (*done)(void *arg), void *arg,
	struct relay_err *err);
/* NULL is allowed. */
void latency_free(struct latency *latency);

#endif
