/* SPDX-License-Identifier: MPL-2.0 */

/*
 * report.h - what others see of the pools: metrics, and the service.
 */
#ifndef REPORT_H
#define REPORT_H

#include <strelaysrv/module.h>

/* Registers all of it.  init.  0 or -1. */
int report_init(struct relay_ctx *cx, struct relay_err *err);
/* Takes over the option `pools`, after it has changed too. */
void report_load(struct relay_ctx *cx);
/* Counts an attempt. */
void report_outcome(const struct relay_ctx *cx, unsigned outcome);

#endif
