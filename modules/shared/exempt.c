/* SPDX-License-Identifier: MPL-2.0 */

/* Addresses without per-source limits. */

#include "shared/exempt.h"

int exempt_read(struct relay_ctx *cx, struct ranges *out, struct relay_err *err)
{
	static const char *const loopback[] = {"127.0.0.0/8", "::1", NULL};
	const char *const *list = loopback;
	struct relay_value value;

	if (relay_option_get(cx, "bounds", "exempt", &value) == 0)
		list = value.list;
	return ranges_read(out, list, err);
}

void exempt_source(const struct ranges *exempt, const struct relay_conn *conn,
	struct source *out)
{
	struct sockaddr_storage from;

	relay_conn_sockaddr(conn, &from);
	exempt_address(exempt, &from, out);
}

void exempt_address(const struct ranges *exempt,
	const struct sockaddr_storage *from, struct source *out)
{
	uint8_t address[RANGE_BYTES];

	source_read(from, out);
	range_address(from, address);
	if (ranges_have(exempt, address))
		out->levels = 0;
}
