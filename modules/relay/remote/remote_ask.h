/* SPDX-License-Identifier: MPL-2.0 */

/*
 * remote_ask.h - requests of devices at other relays for devices here.
 */
#ifndef REMOTE_ASK_H
#define REMOTE_ASK_H

#include <strelaysrv/module.h>

#include "relay/remote/remote_answer.h"

/* Functions of the service; `found` is NULL for a session that is held here,
 * else it has an address of IPv4 and one of IPv6.  [C] */
int remote_ask_begin(struct relay_ctx *self, const struct remote_to *to,
	const struct remote_ask *ask, const struct relay_found found[2]);
enum remote_end remote_prepare(struct relay_ctx *self,
	const struct remote_ask *ask, uint8_t key[2][RELAY_DEVICE_ID_LEN]);

#endif
