/* SPDX-License-Identifier: MPL-2.0 */

/* The body of /status, compatible with the pool's server. */
#ifndef ANSWER_H
#define ANSWER_H

#include <cjson/cJSON.h>

struct rates;
struct relay_ctx;

/* [C] NULL if memory is short; the caller deletes it. */
cJSON *answer_make(struct relay_ctx *cx, const struct rates *rates);

#endif
