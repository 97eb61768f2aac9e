/* SPDX-License-Identifier: MPL-2.0 */

/*
 * accounting.h - every second, the module quota is told what names have used,
 * and rate-limit which devices have left.  [C]
 */
#ifndef ACCOUNTING_H
#define ACCOUNTING_H

#include <strelaysrv/module.h>

#include "account.h"

int accounting_start(struct relay_ctx *cx, struct relay_err *err);
/* Puts into force what the name of that device says, and judges it.
 * ACCOUNT_UNKNOWN: the device has left. */
enum account_answer accounting_apply(struct relay_ctx *cx, const uint8_t *id);
/* Which modules run, or what names may use, may have changed. */
void accounting_reload(struct relay_ctx *cx);
void accounting_stop(struct relay_ctx *cx);

#endif
