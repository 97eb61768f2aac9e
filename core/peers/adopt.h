/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that another process accepted and this one serves.
 */
#ifndef ADOPT_H
#define ADOPT_H

#include <stddef.h>

#define ADOPT_DATA_MAX 512 /* bytes that may have been read before */

/*
 * [C]  Takes over fd, a connected socket from which the `len` bytes at `data`
 * were read already: they are read again before what follows.  What goes wrong
 * closes it.
 */
void adopt(int fd, const void *data, size_t len);

#endif
