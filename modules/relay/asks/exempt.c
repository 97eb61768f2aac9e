/* SPDX-License-Identifier: MPL-2.0 */

/* Addresses without per-source limits. */

#include "relay/asks/exempt.h"
#include "relay/relay.h"

int exempt_read(struct relay_ctx *cx, struct ranges *out, struct relay_err *err)
{
	static const char *const loopback[] = {"127.0.0.0/8", "::1", NULL};
	const char *const *list = loopback;
	struct relay_value value;

	if (relay_option_get(cx, "bounds", "exempt", &value) == 0)
		list = value.list;
	return ranges_read(out, list, err);
}

void exempt_source(
	struct relay_ctx *cx, const struct relay_conn *conn, struct source *out)
{
	struct relay_data *data = data_of(cx);
	uint8_t address[RANGE_BYTES];
	struct sockaddr_storage from;

	relay_conn_sockaddr(conn, &from);
	source_read(&from, out);
	range_address(&from, address);
	pthread_mutex_lock(&data->lock);
	if (ranges_have(&data->exempt, address))
		out->levels = 0;
	pthread_mutex_unlock(&data->lock);
}
