/* SPDX-License-Identifier: MPL-2.0 */

/* shown.h - what operators see of the count: the metrics, and a part of
 * /status. */
#ifndef SHOWN_H
#define SHOWN_H

#include <strelaysrv/module.h>

/* Registers all of it.  0, or -1 with err. */
int shown_init(struct relay_ctx *cx, struct relay_err *err);

#endif
