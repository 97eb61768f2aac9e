/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Kernel pipes for bulk transfers, pooled per worker.
 *
 * splice(2) moves bytes from socket to socket through a pipe without copying
 * them.  A direction holds a pipe only while bytes are in it, so the pool is
 * small; it is bounded, because pipes cost descriptors, and because past
 * /proc/sys/fs/pipe-user-pages-soft the kernel hands out tiny ones.
 */
#ifndef PIPES_H
#define PIPES_H

#include <stddef.h>

struct pipe {
	int read_fd, write_fd;
	size_t size;  /* what it holds at most */
	size_t asked; /* what the pool wanted of it */
	struct pipe *next;
};

struct pipe_pool {
	struct pipe *idle; /* owned, empty ones; the last used first */
	unsigned made;     /* idle and lent */
	unsigned most;     /* bound on `made`; 0: none are lent */
	unsigned skip;     /* refuse this often before the kernel is asked */
	size_t size;       /* wanted of each */
};

void pipe_pool_init(struct pipe_pool *pool, size_t size, unsigned most);
/* Other bounds, for what is lent from now on; lent ones come back as ever. */
void pipe_pool_change(struct pipe_pool *pool, size_t size, unsigned most);
/* Frees the idle ones; lent ones must have come back. */
void pipe_pool_finish(struct pipe_pool *pool);

/* Lends an empty one; NULL at the bound, or when the kernel gives none. */
struct pipe *pipe_take(struct pipe_pool *pool);
/* Takes one back that is empty. */
void pipe_give(struct pipe_pool *pool, struct pipe *pipe);
/* Takes one back that still holds bytes: they are lost.  Accepts NULL. */
void pipe_discard(struct pipe_pool *pool, struct pipe *pipe);

#endif
