/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The body of /status, field by field, as the pool's server reads it.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <cjson/cJSON.h>

struct rates;
struct relay_ctx;

/* [C]  NULL without memory; the caller deletes it. */
cJSON *answer_make(struct relay_ctx *cx, const struct rates *rates);

#endif
