/* SPDX-License-Identifier: MPL-2.0 */

/* advise.h - warnings about settings that may be unintended. */
#ifndef ADVISE_H
#define ADVISE_H

#include "endpoint/state.h"

/* What is wrong with the list itself. */
void advise_list(const struct relay_ctx *cx, const struct conf *conf);
/* The hook: that, and what only -check has time for. */
void advise_all(struct relay_ctx *cx, const void *values);

#endif
