/* SPDX-License-Identifier: MPL-2.0 */

/*
 * challenge.h - a second connection of a device, which gets its place if the
 * first one, the owner, shows no sign of life.
 */
#ifndef CHALLENGE_H
#define CHALLENGE_H

#include <strelaysrv/module.h>

#include "relay/devices/directory.h"

/* How long a device has to answer a ping when another connection claims its ID.
 */
#define PROBE_MS 5000

/* Asks the owner, on whatever worker it is. */
void challenge_begin(
	struct relay_ctx *cx, const uint8_t *id, struct place owner);
/* The owner, which was asked, has sent a message: the other one lost. */
void challenge_answered(struct relay_ctx *cx, struct relay_conn *conn);
/* The owner has ended: the other one is told that it has its place. */
void challenge_won(
	struct relay_ctx *cx, const uint8_t *id, struct place successor);

#endif
