/* SPDX-License-Identifier: MPL-2.0 */

/*
 * level.h - counts the traffic and acts on the level: logs it, throttles, and
 * closes the server to new devices.
 */
#ifndef LEVEL_H
#define LEVEL_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "meter.h"

/* Bytes that sessions have sent since the server's start, each counted once. */
int64_t level_traffic(struct relay_ctx *cx);
/* Updates count and level.  True if the file should be written at once. */
bool level_judge(struct relay_ctx *cx);
/* Asks rate-limit to throttle all sessions, or not to, for that level. */
void level_throttle(struct relay_ctx *cx, enum meter_level now_at);
/* When the current level ends, seconds since 1970. */
int64_t level_resumes_s(const struct relay_ctx *cx, int64_t now_s);

#endif
