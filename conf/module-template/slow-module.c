/* SPDX-License-Identifier: MPL-2.0 */
/* slow-module - admits the devices that a DNS zone lists. */

#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include <strelaysrv/module.h>

#define ZONE "members.example.org" /* has DEVICE-ID.members.example.org */
struct question {
	struct relay_ticket ticket;
	char id[RELAY_DEVICE_ID_TEXT];
};
struct data {
	int queue[2];     /* the kernel bounds it, and nobody needs a lock */
	atomic_bool over; /* stop() waits: ask about nobody more */
	pthread_t thread;
};

static void *run(void *arg)
{
	struct relay_ctx *cx = arg;
	const struct data *data = cx->data;
	struct relay_decision is = {.why = {RELAY_REFUSE_POLICY, "unlisted"}};
	char name[RELAY_DEVICE_ID_TEXT + sizeof(ZONE) + 1];
	struct question q;
	while (recv(data->queue[0], &q, sizeof(q), 0) == sizeof(q) &&
		!atomic_load(&data->over)) {
		struct addrinfo *found = NULL;
		(void)snprintf(name, sizeof(name), "%s." ZONE ".", q.id);
		int error = getaddrinfo(name, NULL, NULL, &found);
		is.verdict = error ? RELAY_DENY : RELAY_PASS;
		if (!error)
			freeaddrinfo(found);
		if (!error || error == EAI_NONAME) /* else nobody knows */
			(void)relay_settle(cx, &q.ticket, &is);
	}
	return NULL;
}

static enum relay_verdict peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	const struct data *data = cx->data;
	struct question q;
	(void)token;
	relay_device_id_format(relay_conn_peer(conn), q.id);
	/* RELAY_DENY: what counts if no answer comes in time. */
	if (relay_ticket_take(cx, RELAY_DENY, &q.ticket) &&
		send(data->queue[1], &q, sizeof(q), MSG_DONTWAIT) == sizeof(q))
		return RELAY_WAIT;
	*why = (struct relay_denial){RELAY_REFUSE_FULL, "busy"};
	return RELAY_DENY;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, data->queue))
		return relay_fail(err, "no sockets");
	if (relay_thread_start(&data->thread, run, cx) == 0)
		return 0;
	close(data->queue[0]);
	close(data->queue[1]);
	return relay_fail(err, "no thread");
}

static void stop(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	atomic_store(&data->over, true);
	close(data->queue[1]);
	pthread_join(data->thread, NULL); /* waits for the lookup that runs */
	close(data->queue[0]);
}

RELAY_MODULE = {RELAY_MODULE_INFO("slow-module", "1", "admits who is in DNS"),
	.flags = RELAY_GUARD | RELAY_CONFINED, .data_size = sizeof(struct data),
	.start = start, .stop = stop, .hooks = {.peer_join = peer_join}};
