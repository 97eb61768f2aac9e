/* SPDX-License-Identifier: MPL-2.0 */

/*
 * invitations.h - sends invitations, and ends sessions that keep a device from
 * taking the next one.
 */
#ifndef INVITATIONS_H
#define INVITATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "relay/sessions/session_data.h"

/* Sends an invitation to a device.  False: its connection has ended. */
bool invitations_send(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *from, const uint8_t *key, bool server_socket);
/* The same for a session that is held elsewhere. */
bool invitations_send_found(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *from, const struct relay_found *found,
	bool server_socket);
/*
 * Runs the next actions for a requested device.  Call it after each change of
 * the device in the table of pending sessions.
 */
void invitations_dispatch(struct relay_ctx *cx, const uint8_t *target);
/* Sends all waiting invitations to a device that will be disconnected. */
void invitations_flush(struct relay_ctx *cx, const uint8_t *target);
/* A session has ended. */
void invitations_session_over(struct relay_ctx *cx,
	struct relay_session *session, const struct session_data *data);

#endif
