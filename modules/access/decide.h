/* SPDX-License-Identifier: MPL-2.0 */

/* decide.h - who may connect, join, request a device and be requested. */
#ifndef DECIDE_H
#define DECIDE_H

#include <strelaysrv/module.h>

/* Registers the counter of refusals. */
int decide_init(struct relay_ctx *cx, struct relay_err *err);

/* The hooks of these names. */
enum relay_verdict decide_conn_accept(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);
enum relay_verdict decide_peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why);
enum relay_verdict decide_peer_stay(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);
enum relay_verdict decide_peer_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why);
enum relay_verdict decide_peer_asked(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why);
enum relay_verdict decide_session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why);

#endif
