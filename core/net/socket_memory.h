/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The kernel memory of a session's sockets: measures it, and bounds it.
 */
#ifndef SOCKET_MEMORY_H
#define SOCKET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Adds to *received and *unsent the bytes of kernel memory that the socket uses
 * for what it received and for what it has yet to deliver, bookkeeping included
 * (SO_MEMINFO of socket(7)).  Adds nothing if the kernel does not tell.
 */
void socket_memory_used(int fd, size_t *received, size_t *unsent);

/*
 * Bounds both buffers of the socket, in place of the kernel's own sizing
 * (tcp_rmem and tcp_wmem in tcp(7)).  The kernel's rmem_max and wmem_max apply
 * as well.  0, or -1 with errno.
 */
int socket_memory_bound(int fd, int bytes);

/*
 * For a socket that carries a bulk transfer: bounds its send buffer when the
 * path is so short that a larger one could not make it faster.  A larger one
 * would only push bytes out of the CPU's cache, and fill memory.  True: the
 * path is that short, and the buffer is bounded; false: the kernel sizes it.
 */
bool socket_memory_fit(int fd);

/*
 * For a listening socket: the sockets accepted from it begin with a receive
 * buffer of BEGINNER_BYTES, so that a peer whose bytes are not read yet fills
 * no more than that.  The kernel's own sizing stays in force: the buffer grows
 * as bytes are read.  Needs no system call on accepted sockets.  0, or -1 with
 * errno.
 */
#define BEGINNER_BYTES 32768
int socket_memory_begin_small(int fd);

/*
 * For a socket that carries messages of a protocol, never a session: bounds its
 * send buffer, which the kernel would let grow to megabytes (tcp_wmem in
 * tcp(7)) for a peer that makes the server answer and reads nothing.  0, or -1
 * with errno.
 */
#define MESSAGES_BYTES 32768
int socket_memory_messages(int fd);

/*
 * For a socket at the start of a session: bounds its receive buffer to
 * FIRST_BYTES until socket_memory_open().  0, or -1 with errno.
 */
#define FIRST_BYTES 196608
int socket_memory_first(int fd);

/*
 * For a direction from `source` to `sink` that holds too much: squeezing bounds
 * the source's receive buffer and the sink's send buffer to `bytes` each; what
 * they hold already stays.  Relaxing the sink and opening the source ends that.
 * `stays`: the bound on the sink's receive buffer stays, since it belongs to
 * the other direction.  0, or -1 with errno.
 */
int socket_memory_squeeze(int source, int sink, int bytes);
int socket_memory_relax(int sink, bool stays);

/*
 * Returns how many bytes the peer's kernel has acknowledged, by TCP_INFO; 0:
 * unknown.  Sets *rtt_us to the path's shortest round trip, 300 ms at most, or
 * leaves it unchanged if that is unknown.
 */
uint64_t socket_acked(int fd, int64_t *rtt_us);

/*
 * Ends the bounds of the functions above: gives the socket the receive buffer
 * that the kernel starts with (tcp_rmem in tcp(7)), and lets the kernel size
 * both buffers.  `stays`: the bound on its send buffer stays, since it belongs
 * to the other direction.  0, or -1 with errno.
 */
int socket_memory_open(int source, bool stays);

#endif
