/* SPDX-License-Identifier: MPL-2.0 */

/*
 * here.h - the devices that are here by an answer: what it allows them, and
 * when they have to be asked about again.
 *
 * Workers add devices, and the control thread removes them.
 */
#ifndef HERE_H
#define HERE_H

#include "here_state.h"

/* [W]  The connection, which has a struct member, asks to join.  0, or -1
 * without memory. */
int here_enter(struct relay_ctx *cx, const struct relay_conn *conn);
void here_leave(struct relay_ctx *cx, const struct relay_conn *conn);
relay_conn_settled_fn here_settled;
void here_session(struct relay_ctx *cx, struct relay_session *session);
relay_session_sent_fn here_session_sent;
relay_session_enter_fn here_session_enter;
void here_session_close(struct relay_ctx *cx, struct relay_session *session);

/* Why that device may begin no session, although it is here or has just left;
 * NULL: it may, or is not known. */
const char *here_barred(struct relay_ctx *cx, const uint8_t *id);

/* With the lock held: */

/* NULL: it is not known. */
struct device *here_find(const struct here *here, const uint8_t *id);
/* It may join by this answer. */
void here_allow(struct device *device, const struct question *question,
	const struct answer *answer, int64_t now_ms);
/* Whether something would count for it if one of its sessions began. */
bool here_owes(const struct device *device);
/* [C] Frees one that has left. */
void here_remove(struct here *here, struct device *device);

#endif
