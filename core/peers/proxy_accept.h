/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections of a proxy: each waits for the header with its client's address,
 * and is accepted as that client's connection.  All of this is [W].
 */
#ifndef PROXY_ACCEPT_H
#define PROXY_ACCEPT_H

#include <stdbool.h>
#include <sys/socket.h>

struct listener_facts;
struct worker;

/* Of all workers together; with few descriptors a part of max-connections. */
#define PROXY_WAITING_MOST  1024
#define PROXY_WAITING_SHARE 8
/* A proxy sends its header at once. */
#define PROXY_HEADER_MS 5000

/* Whether that host may connect there: the listener needs no header, or trusts
 * the host.  Counts a refusal. */
bool proxy_admits(struct worker *worker, const struct listener_facts *facts,
	const struct sockaddr_storage *host);
/* As conn_accept(), for a listener that trusts the host. */
void proxy_accept(struct worker *worker, int fd, struct listener_facts *facts);
/* Closes all that wait. */
void proxy_waiting_end(struct worker *worker);

#endif
