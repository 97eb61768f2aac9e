/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Listening sockets that the process was started with.
 *
 * They come from systemd (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS,
 * LISTEN_FDNAMES) or, in an upgrade, from the old process, which lists them in
 * INHERITED_SOCKETS.  Code that is about to bind an address calls
 * inherited_take() first.  All functions are [C].
 */
#ifndef INHERITED_H
#define INHERITED_H

#include <stdbool.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

/* "relay:7,status:9": what each descriptor is for. */
#define INHERITED_SOCKETS "STRELAYSRV_SOCKETS"

struct listen_place;

/* FileDescriptorName= in a systemd socket unit has the same words, or the name
 * of a listener, which counts as INHERITED_ANY. */
enum inherited_use {
	INHERITED_ANY, /* not specified: the address decides */
	INHERITED_RELAY,
	INHERITED_STATUS,
	INHERITED_PRIVATE,
	INHERITED_USES
};

extern const char *const inherited_use_words[INHERITED_USES];

/*
 * Reads the variables and removes them, so that no child process uses them.
 * Call it before any thread starts.  0, or -1 with err, such as when a variable
 * names a descriptor that is not a listening TCP socket.
 */
int inherited_init(struct relay_err *err);

/*
 * Takes a socket for that use that is bound to `addr`; port 0 in `addr` matches
 * every port.  v6only is compared for IPv6 only.  Returns a listening,
 * non-blocking, close-on-exec descriptor, which the caller owns, or -1: none.
 */
int inherited_take(enum inherited_use use, const struct sockaddr_storage *addr,
	bool v6only);

/* Whether a socket for that use that was not taken has an address in common
 * with the place. */
bool inherited_overlaps(
	enum inherited_use use, const struct listen_place *place);

/*
 * Whether the sockets that the service manager calls by the name of a listener
 * are bound to that listener's place.  0, or -1 with err naming one that is
 * not.
 */
int inherited_check(const char *name, const struct listen_place *place,
	struct relay_err *err);

/* Takes a socket for that use, with any address.  -1: none is left. */
int inherited_take_any(enum inherited_use use);

/* Closes the sockets that were not taken, and logs each of them. */
void inherited_finish(void);

#endif
