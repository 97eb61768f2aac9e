/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One server's state: a pointer to each room's part of it, from the bottom to
 * the top.  base and config have none.  life/rooms.c makes the parts in this
 * order, and frees them in reverse.
 *
 * A process usually has one server; tests have two.  Each room has a function
 * that makes its part, one that frees it, and accesses it through `instance`.
 * No other room uses its members.
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
	struct workers_state *workers;
	struct peers_shared *peers;
	struct http_state *http;
	struct host_state *host;
	struct life_state *life;
};

/*
 * The server that the calling thread works for.  A thread that was started with
 * relay_thread_start() inherits it.  Any other thread works for the first
 * server of the process, instance_first, until it sets this pointer.
 *
 * The initial-exec TLS model makes an access one load, without a function call.
 */
extern _Thread_local struct instance *instance
	__attribute__((tls_model("initial-exec")));

extern struct instance instance_first;

#endif
