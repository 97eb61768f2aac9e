/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The address of a connection's peer.
 */
#ifndef CONN_ADDRESS_H
#define CONN_ADDRESS_H

struct conn_place;
struct relay_conn;
struct sockaddr_storage;

/* Stores the address.  An IPv4 address on an IPv6 socket counts as IPv4. */
void conn_set_address(
	struct relay_conn *conn, const struct sockaddr_storage *from);
/* Stores where a proxy says that the client came in; NULL: the socket knows.
 * 0, or -1 without memory. */
int conn_set_came_in(
	struct relay_conn *conn, const struct sockaddr_storage *to);

/* Both know IPv4 on IPv6 sockets as IPv4. */
void conn_place_read(
	struct conn_place *out, const struct sockaddr_storage *from);
void conn_place_write(
	const struct conn_place *place, struct sockaddr_storage *out);

#endif
