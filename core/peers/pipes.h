/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Kernel pipes for bulk transfers, pooled per worker.
 *
 * splice(2) moves bytes from socket to socket through a pipe without copying
 * them.  A direction holds a pipe only while bytes are in it, so the pool is
 * small; it is bounded, because pipes cost descriptors, and because past
 * /proc/sys/fs/pipe-user-pages-soft the kernel hands out tiny ones.  The larger
 * a pipe, the fewer wake-ups for the same bytes; but only the first few may
 * have the whole size, or they alone would use up what the kernel grants a
 * user.
 */
#ifndef PIPES_H
#define PIPES_H

#include <stdbool.h>
#include <stddef.h>

struct pipe {
	int read_fd, write_fd;
	size_t size;  /* what it holds at most */
	size_t asked; /* the pool's size when it was made */
	bool large;   /* one of the few that may have all of that */
	struct pipe *next;
};

struct pipe_pool {
	struct pipe
		*idle;  /* owned, empty ones; large first, then the last used */
	unsigned made;  /* idle and lent */
	unsigned large; /* of these, the large ones */
	unsigned most;  /* bound on `made`; 0: none are lent */
	unsigned skip;  /* refuse this often before the kernel is asked */
	size_t size;    /* wanted of large ones */
};

/* How many of a pool may be larger than the rest, and the bound of these. */
#define PIPES_LARGE 16
#define PIPE_COMMON (256U << 10)

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
