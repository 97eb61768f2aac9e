/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that another process accepted and this one serves.
 */
#ifndef CONN_IMPORT_H
#define CONN_IMPORT_H

#include <stddef.h>

#define CONN_IMPORT_DATA_MAX 512 /* bytes that may have been read before */

/*
 * [C]  Takes over fd, a connected socket from which another process has read
 * the `len` bytes at `data`: modules read these first, then from the socket.
 * Closes fd on failure.
 */
void conn_import(int fd, const void *data, size_t len);

#endif
