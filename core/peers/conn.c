/* SPDX-License-Identifier: MPL-2.0 */

/* Connections: what modules may read and set. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "log/log.h"
#include "modules/module.h"
#include "peers/conn_reread.h"
#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "tls/tls.h"

void *relay_conn_data(const struct relay_ctx *cx, const struct relay_conn *conn)
{
	const struct relay_module *mod = cx->mod;

	if (!layout_has(conn->layout, mod))
		return NULL;
	/* The connection is const here, but the module may write its block. */
	return (void *)(uintptr_t)(conn->blocks +
				   conn->layout->at[mod->slot].conn);
}

uint64_t relay_conn_id(const struct relay_conn *conn)
{
	return conn->id;
}

struct relay_conn *relay_conn_find(struct relay_ctx *cx, uint64_t id)
{
	return object_table_find(
		&peers_of_loop(module_ctx_of(cx)->loop)->conns, id);
}

bool relay_conn_is_tls(const struct relay_conn *conn)
{
	return conn->tls != NULL;
}

const uint8_t *relay_conn_peer(const struct relay_conn *conn)
{
	return conn->certs == 1 || conn->peer_set ? conn->peer : NULL;
}

void relay_conn_set_peer(
	struct relay_conn *conn, const uint8_t id[RELAY_DEVICE_ID_LEN])
{
	if (conn->tls) /* its certificate has proven its ID */
		return;
	memcpy(conn->peer, id, RELAY_DEVICE_ID_LEN);
	conn->peer_set = true;
}

unsigned relay_conn_peer_certs(const struct relay_conn *conn)
{
	return conn->certs;
}

void relay_conn_again(struct relay_conn *conn)
{
	conn_reread_add(conn);
}

void relay_conn_waits(struct relay_conn *conn, bool waits)
{
	conn->waits = waits;
}

void relay_conn_deadline(struct relay_conn *conn, int64_t after_ms)
{
	if (conn->phase > CONN_TAKEN)
		return;
	if (after_ms < 0)
		deadline_clear(conn->worker, &conn->deadline);
	else
		deadline_set(conn->worker, &conn->deadline,
			loop_clock_ms() + after_ms);
}

void relay_conn_keepalive(struct relay_conn *conn, int64_t idle_ms)
{
	/* The kernel allows 32767 s at most. */
	int on = 1,
	    seconds = idle_ms > 32767000 ? 32767 : (int)(idle_ms / 1000);

	if (seconds < 1)
		seconds = 1;
	/* Without keep-alive, a dead peer is only noticed later. */
	if (setsockopt(conn->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) ||
		setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds,
			sizeof(seconds)) ||
		setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds,
			sizeof(seconds)))
		log_core(RELAY_DEBUG, "cannot enable keep-alive: %s",
			strerror(errno));
}

int relay_conn_alpn(struct relay_ctx *cx, const char *name)
{
	return module_may_register(cx, "an ALPN name") ? tls_alpn_add(name)
						       : -1;
}
