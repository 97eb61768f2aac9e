/* SPDX-License-Identifier: MPL-2.0 */

/* rows.h - what commands show of a device and of a session, as its worker sees
 * it.  Rows travel in messages, so they have no pointers
 * to what may end. */
#ifndef ROWS_H
#define ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "relay/devices/directory.h"

/* What is to be looked at: a connection, or a session. */
struct target {
	int worker;
	uint64_t number;    /* of the connection or session there */
	uint8_t id[ID_LEN]; /* of the device; sessions: not set */
};

struct device_row {
	uint8_t id[ID_LEN];
	int worker;
	uint64_t conn;
	int64_t age_ms,
		idle_ms; /* since it connected; since its last message */
	char address[RELAY_ADDR_TEXT];
	/* Of its sessions, summed on the control thread. */
	int64_t sessions, bytes, rate;
};

struct session_row {
	const char *protocol;  /* of the module that has paired them */
	bool known[2];         /* whether `id` has a device */
	uint8_t id[2][ID_LEN]; /* else zeros */
	int worker; /* where it has begun, since that is part of its number */
	uint64_t session;
	int64_t age_ms;   /* since the pairing */
	int64_t idle_ms;  /* since a byte has moved */
	int64_t bytes[2]; /* sent by each side */
	int64_t rate;     /* of both, since the last time it was looked at */
	char address[2][RELAY_ADDR_TEXT];
};

/* The row of a target of this worker; a session may be NULL.  False: it has
 * ended.  [W] */
bool device_row_fill(struct relay_ctx *cx, const struct target *target,
	struct device_row *row);
bool session_row_fill(struct relay_ctx *cx, struct relay_session *session,
	struct session_row *row);

#endif
