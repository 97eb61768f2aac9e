/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The address of a connection's peer.
 */
#ifndef CONN_ADDRESS_H
#define CONN_ADDRESS_H

struct relay_conn;
struct sockaddr_storage;

/* Stores the address.  An IPv4 address on an IPv6 socket counts as IPv4. */
void conn_set_address(
	struct relay_conn *conn, const struct sockaddr_storage *from);

#endif
