/* SPDX-License-Identifier: MPL-2.0 */

/* decide.h - the hooks on workers. */
#ifndef DECIDE_H
#define DECIDE_H

#include <strelaysrv/module.h>

int decide_worker_start(struct relay_ctx *cx, struct relay_err *err);
relay_peer_join_fn decide_peer_join;
relay_peer_connect_fn decide_peer_connect;
relay_peer_asked_fn decide_peer_asked;
relay_peer_stay_fn decide_peer_stay;
relay_conn_close_fn decide_conn_close;
relay_session_open_fn decide_session_open;
relay_session_close_fn decide_session_close;

#endif
