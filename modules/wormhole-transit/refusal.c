/* SPDX-License-Identifier: MPL-2.0 */

/* Clients that get no session. */

#include <string.h>

#include "wormhole-transit/metrics_table.h"
#include "wormhole-transit/refusal.h"

void client_count(
	struct relay_ctx *cx, struct relay_conn *conn, enum result result)
{
	struct client *client = client_of(cx, conn);
	char addr[RELAY_ADDR_TEXT];
	const struct relay_field fields[] = {
		{"peer", addr}, {"result", result_word(result)}, {NULL, NULL}};

	if (client->counted)
		return;
	client->counted = true;
	relay_metric_inc(cx, data_of(cx)->metrics[METRIC_CLIENTS], result, 1);
	if (!relay_log_wanted(RELAY_DEBUG))
		return;
	(void)relay_conn_addr_text(conn, addr);
	relay_log_fields(cx, RELAY_DEBUG, fields, "a client is done");
}

void client_refuse(struct relay_ctx *cx, struct relay_conn *conn,
	enum result result, const char *answer, enum relay_reason reason)
{
	client_count(cx, conn, result);
	/* It has read nothing before, so there is room for it. */
	if (answer)
		(void)relay_conn_write(conn, answer, strlen(answer));
	relay_conn_close(conn, reason);
}

void client_impatient(struct relay_ctx *cx, struct relay_conn *conn)
{
	client_refuse(
		cx, conn, RESULT_IMPATIENT, "impatient\n", RELAY_END_PROTOCOL);
}
