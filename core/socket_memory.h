/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the kernel holds for a session's sockets: to tell it, and to bound it.
 */
#ifndef SOCKET_MEMORY_H
#define SOCKET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes of kernel memory that the socket has taken for what it received and
 * what it has yet to deliver, bookkeeping included (SO_MEMINFO of socket(7)).
 * 0 when the kernel does not tell.
 */
size_t socket_memory_used(int fd);

/*
 * Bounds what each direction of the socket buffers, in place of the kernel's
 * own sizing (tcp_rmem and tcp_wmem in tcp(7)).  The kernel's rmem_max and
 * wmem_max bound it, too.  0, or -1 with errno.
 */
int socket_memory_bound(int fd, int bytes);

/*
 * For a socket that carries bulk: bounds what is sent ahead of its peer, when
 * the path is so short that more could not make it faster.  Beyond that, bytes
 * on their way only leave the CPU's cache, and fill memory.  True: the path is
 * that short, and this was done; false: the kernel's sizing stays.
 */
bool socket_memory_fit(int fd);

/*
 * For a listening socket: those that it accepts begin with a receive buffer of
 * BEGINNER_BYTES, so that whoever is not heard yet fills no more than that. The
 * kernel's own sizing stays in force: the buffer grows as bytes are read.
 * Costs accepted sockets no system call.  0, or -1 with errno, and then nothing
 * has changed.
 */
#define BEGINNER_BYTES 32768
int socket_memory_begin_small(int fd);

/*
 * For a socket that shall carry more than that from now on: the receive buffer
 * that the kernel starts with (tcp_rmem in tcp(7)), and the kernel's sizing of
 * both.  0, or -1 with errno.
 */
int socket_memory_open(int fd);

#endif
