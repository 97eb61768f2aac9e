/* SPDX-License-Identifier: MPL-2.0 */

/* refusal.h - clients that get no session: why, and what they are told.  [W] */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "wormhole-transit/data.h"

/* Counts and logs why it has no session.  Once for each. */
void client_count(
	struct relay_ctx *cx, struct relay_conn *conn, enum result result);
/* The same, sends it `answer` unless that is NULL, and closes it. */
void client_refuse(struct relay_ctx *cx, struct relay_conn *conn,
	enum result result, const char *answer, enum relay_reason reason);
/* It has sent something before the answer. */
void client_impatient(struct relay_ctx *cx, struct relay_conn *conn);

#endif
