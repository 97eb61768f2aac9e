/* SPDX-License-Identifier: MPL-2.0 */

/* counts.h - the metrics. */
#ifndef COUNTS_H
#define COUNTS_H

#include <strelaysrv/module.h>

#include "transfer.h"

/* 0, or -1 with err.  [C] init */
int counts_init(struct relay_ctx *cx, struct relay_err *err);
/* The word for a failure, in metrics, logs and refusals. */
const char *counts_word(enum failure failure);
/* [*] */
void count_failure(const struct relay_ctx *cx, enum failure failure);
void count_verdict(const struct relay_ctx *cx, int which, bool allowed);

#endif
