/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A server as a whole: all its state, one struct for each room of core/, from
 * the bottom to the top.  base and config have none.
 *
 * life/rooms.c makes the structs in this order and frees them in reverse, by a
 * pair of functions that each room has (for example net_create() and
 * net_destroy()).  A room reaches its own struct through `instance`, and does
 * not use the members of the others.
 *
 * A process usually has one server; tests have two.
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
