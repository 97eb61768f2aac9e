/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Listening sockets that the process was started with.
 *
 * They come from systemd (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS,
 * LISTEN_FDNAMES) or from the process that this one takes over from, which says
 * what it passes on in INHERITED_SOCKETS.  Whoever would bind an address asks
 * here first.  All is [C].
 */
#ifndef INHERITED_H
#define INHERITED_H

#include <stdbool.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

/* "relay:7,status:9": what each descriptor is for. */
#define INHERITED_SOCKETS "STRELAYSRV_SOCKETS"

/* FileDescriptorName= in a systemd socket unit says the same words. */
enum inherited_use {
	INHERITED_ANY, /* its giver did not say: the address decides */
	INHERITED_RELAY,
	INHERITED_STATUS,
	INHERITED_PRIVATE,
	INHERITED_USES
};

extern const char *const inherited_use_words[INHERITED_USES];

/*
 * Reads the variables and removes them, so that no child of ours takes them for
 * its own.  Before any thread.  0, or -1 with err: a descriptor is named that
 * is no listening TCP socket.
 */
int inherited_init(struct relay_err *err);

/*
 * Takes a socket of that use which is bound to `addr`; its port 0 fits every
 * port.  v6only counts for IPv6 only.  A listening, non-blocking,
 * close-on-exec descriptor that is the caller's from now on, or -1: none.
 */
int inherited_take(enum inherited_use use, const struct sockaddr_storage *addr,
	bool v6only);

/* Any one of that use, whatever its address.  -1: none is left. */
int inherited_take_any(enum inherited_use use);

/* Closes what nobody took; one line of log for each. */
void inherited_finish(void);

#endif
