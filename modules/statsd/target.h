/* SPDX-License-Identifier: MPL-2.0 */

/*
 * target.h - the socket that is connected to the StatsD server.
 *
 * A host name is resolved in a thread of its own, again and again, so that
 * neither a silent name server nor a server that moves is a problem.  All
 * functions run on the control thread.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/module.h>

struct lookup;

struct target {
	const char *host, *port; /* borrowed */
	int fd;                  /* owned; -1: no address is known yet */
	bool is_name;            /* host is to be resolved again */
	bool failed;             /* the last lookup has failed */
	struct lookup *lookup;   /* owned; NULL: none runs */
	int64_t due_ms;          /* when the next one begins */
	struct sockaddr_storage address; /* to which fd is connected */
	socklen_t len;
};

/* Connects if `host` is an address, else begins to resolve it; never waits.
 * 0, or -1 with err; then there is nothing to finish. */
int target_begin(struct target *target, const char *host, const char *port,
	struct relay_err *err);
/*
 * Takes the result of a lookup and begins the next one when it is due, every
 * `again_ms`, or after a failure 30 s if that is less.  A failure and a new
 * address are logged.  Returns whether an answer is awaited.
 */
bool target_refresh(
	struct relay_ctx *cx, struct target *target, int64_t again_ms);
void target_finish(struct target *target);

#endif
