/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the kernel holds for a session's sockets: to tell it, and to bound it.
 */
#ifndef SOCKET_MEMORY_H
#define SOCKET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of kernel memory that the socket has taken for what it received and
 * what it has yet to deliver, bookkeeping included (SO_MEMINFO of socket(7)):
 * adds them to *received and *unsent, nothing when the kernel does not tell.
 */
void socket_memory_used(int fd, size_t *received, size_t *unsent);

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
 * Of a socket that carries a session's first bytes: FIRST_BYTES to receive, not
 * more, until socket_memory_open().  0, or -1 with errno.
 */
#define FIRST_BYTES 196608
int socket_memory_first(int fd);

/*
 * A direction from `source` to `sink` that holds too much: no more than so many
 * bytes each may be taken in from now on; what is there already stays.  And the
 * end of that; `stays`: the sink's own receiving is squeezed, too.  0, or -1
 * with errno.
 */
int socket_memory_squeeze(int source, int sink, int bytes);
int socket_memory_relax(int source, int sink, bool stays);

/*
 * Bytes that the peer's kernel has acknowledged, by TCP_INFO; 0: not told.  And
 * in *rtt_us the path's shortest round trip, 300 ms at most; left as it is when
 * that is not known.
 */
uint64_t socket_acked(int fd, int64_t *rtt_us);

/*
 * For a socket that shall carry more than that from now on: the receive buffer
 * that the kernel starts with (tcp_rmem in tcp(7)), and the kernel's sizing of
 * both.  0, or -1 with errno.
 */
int socket_memory_open(int fd);

#endif
