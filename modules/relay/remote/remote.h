/* SPDX-License-Identifier: MPL-2.0 */

/* remote.h - offers the service of remote_service.h. */
#ifndef REMOTE_H
#define REMOTE_H

#include <strelaysrv/module.h>

/* [C] init.  0, or -1 with err. */
int remote_init(struct relay_ctx *cx, struct relay_err *err);

#endif
