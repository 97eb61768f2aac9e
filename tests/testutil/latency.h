/* SPDX-License-Identifier: MPL-2.0 */

/*
 * latency.h - how long a TCP connect to each relay of a list takes.
 */
#ifndef LATENCY_H
#define LATENCY_H

#include "candidates.h"
#include "client_state.h"

struct latency;

/* Fills latency_us of all that answer; done() may free it, and is called once,
 * from the loop.  list is borrowed until then.  NULL with err. */
struct latency *latency_start(struct relay_client *client,
	struct candidates *list, void (*done)(void *arg), void *arg,
	struct relay_err *err);
/* NULL is fine. */
void latency_free(struct latency *latency);

#endif
