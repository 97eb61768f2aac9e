/* SPDX-License-Identifier: MPL-2.0 */

/* The data for the page: everything that it shows, as one JSON object. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdint.h>

#include <cjson/cJSON.h>

struct history;
struct relay_ctx;

/*
 * [C] Includes the steps of `history` after `after`.  NULL if memory is short;
 * the caller deletes it.
 */
cJSON *answer_make(
	struct relay_ctx *cx, const struct history *history, int64_t after);

#endif
