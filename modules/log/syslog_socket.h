/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The system log, over its local socket.
 *
 * Not syslog(3), which waits when the other side does not read.
 */
#ifndef SYSLOG_SOCKET_H
#define SYSLOG_SOCKET_H

#include <stddef.h>

#include <strelaysrv/err.h>

/* 0, a connected socket that never blocks in *fd; or -1. */
int syslog_connect(const char *path, int *fd, struct relay_err *err);

/*
 * One message; `priority` is facility and severity.  A restart of the log
 * daemon is survived by connecting again.  0, or -1 with errno: it is lost.
 */
int syslog_send(
	const char *path, int *fd, int priority, const char *text, size_t len);

#endif
