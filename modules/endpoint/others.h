/* SPDX-License-Identifier: MPL-2.0 */

/*
 * others.h - the other relays of the list, and when each is checked.
 */
#ifndef OTHERS_H
#define OTHERS_H

#include "endpoint/state.h"

/* Makes those of the new options, and sets them aside.  0, or -1 with err. */
int others_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err);
/* Puts them into force; one that was there before goes on as it was. */
void others_commit(struct relay_ctx *cx);
void others_abandon(struct relay_ctx *cx);
/* Begins checks that are due and goes on with those that run; returns when to
 * do so again, in ms. */
int64_t others_work(struct relay_ctx *cx);
void others_finish(struct relay_ctx *cx);

#endif
