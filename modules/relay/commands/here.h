/* SPDX-License-Identifier: MPL-2.0 */

/* here.h - finds a device by the beginning of its ID, and ends what it has; for
 * commands, and as a service for other modules.  All is [C]. */
#ifndef HERE_H
#define HERE_H

#include <stdint.h>

#include <strelaysrv/module.h>

#include "shared/source.h"

/* Offers the service, see devices_service.h.  0, or -1 with err. */
int here_init(struct relay_ctx *cx, struct relay_err *err);
/* Functions of the service. */
int here_find(struct relay_ctx *cx, const char *text, uint8_t out[ID_LEN],
	struct relay_err *err);
unsigned here_end(struct relay_ctx *cx, const uint8_t id[ID_LEN]);
void here_withdraw(struct relay_ctx *cx, const uint8_t id[ID_LEN]);
/* Ends one session soon.  0 if that was not possible, else 1. */
unsigned here_end_session(struct relay_ctx *cx, uint64_t session);

#endif
