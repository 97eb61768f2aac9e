/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Writes to the system log over its local socket.
 *
 * Does not use syslog(3), which blocks if the log daemon does not read.
 */
#ifndef SYSLOG_SOCKET_H
#define SYSLOG_SOCKET_H

#include <stddef.h>

#include <strelaysrv/err.h>

/* Returns 0 with a connected, non-blocking socket in *fd; or -1. */
int syslog_connect(const char *path, int *fd, struct relay_err *err);

/*
 * Sends one message; `priority` is facility and severity.  If the log daemon
 * was restarted, it reconnects.  0, or -1 with errno: the message is lost.
 */
int syslog_send(
	const char *path, int *fd, int priority, const char *text, size_t len);

#endif
