/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One server's state: a pointer to each room's part of it.
 *
 * A process usually holds one server; tests hold two.  Each room makes its part
 * with ROOM_create() and frees it with ROOM_destroy(), knows alone what is in
 * it, and reaches it through `instance`.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

struct instance {
	struct log_state *log;
	struct loop_state *loop;
	struct metrics_state *metrics;
	struct tls_state *tls;
	struct modules_state *modules;
	struct net_state *net;
	struct workers_room *workers;
	struct peers_room *peers;
	struct http_state *http;
	struct host_state *host;
	struct life_state *life;
};

/*
 * The server that the calling thread works for.  relay_thread_start() hands it
 * on to the new thread.  A thread that was made in another way works for the
 * first server of the process, instance_first, until it is told otherwise.
 *
 * Initial-exec: one load from the thread's own memory, without a call.
 */
extern _Thread_local struct instance *instance
	__attribute__((tls_model("initial-exec")));

extern struct instance instance_first;

#endif
