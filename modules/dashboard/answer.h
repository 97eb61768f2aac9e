/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the page is fed with: everything that it shows, as one JSON object.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdint.h>

#include <cjson/cJSON.h>

struct history;
struct relay_ctx;

/* [C]  With the steps of `history` from `after` + 1 on.  NULL without memory;
 * the caller deletes it. */
cJSON *answer_make(
	struct relay_ctx *cx, const struct history *history, int64_t after);

#endif
