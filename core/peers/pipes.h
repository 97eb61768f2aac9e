/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Kernel pipes for bulk transfers, pooled per worker.
 *
 * splice(2) moves bytes from socket to socket through a pipe without copying
 * them.  A direction holds a pipe only while bytes are in it, so the pool is
 * small.  It is bounded because pipes need descriptors, and because above
 * /proc/sys/fs/pipe-user-pages-soft the kernel makes tiny ones.  A larger pipe
 * needs fewer wake-ups for the same bytes.  But only a few pipes may have the
 * full size: more would use up what the kernel allows a user.
 */
#ifndef PIPES_H
#define PIPES_H

#include <stdbool.h>
#include <stddef.h>

struct pipe {
	int read_fd, write_fd;
	size_t size;  /* its capacity, bytes */
	size_t asked; /* the pool's size when it was made */
	bool large;   /* one of the few that may have that size */
	struct pipe *next;
};

struct pipe_pool {
	struct pipe
		*idle;  /* owned, empty ones; large first, then the last used */
	unsigned made;  /* idle and lent */
	unsigned large; /* of these, the large ones */
	unsigned most;  /* bound on `made`; 0: none are lent */
	unsigned skip;  /* requests to refuse before the kernel is asked */
	int refusal;    /* errno of the kernel's last refusal; the user sets it
			 * to 0 when it has told it */
	size_t size;    /* bytes, wanted for large ones */
};

/* How many pipes of a pool may be large, and the bound on the size of the
 * others, bytes. */
#define PIPES_LARGE 16
#define PIPE_COMMON (256U << 10)

void pipe_pool_init(struct pipe_pool *pool, size_t size, unsigned most);
/* Changes the limits.  A pipe that is lent keeps its size until it is given
 * back. */
void pipe_pool_change(struct pipe_pool *pool, size_t size, unsigned most);
/* Frees the idle ones; lent ones must have come back. */
void pipe_pool_finish(struct pipe_pool *pool);

/* Whether this errno means that the kernel, or a security policy, refuses the
 * call for every connection. */
bool pipe_refused(int error);
/* splice(2) was refused: for a while no pipes are lent. */
void pipe_pool_refuse(struct pipe_pool *pool);

/* Lends an empty pipe; NULL at the bound, or when the kernel gives none. */
struct pipe *pipe_take(struct pipe_pool *pool);
/* Takes back an empty pipe. */
void pipe_give(struct pipe_pool *pool, struct pipe *pipe);
/* A lent pipe, with its bytes, belongs to another pool from now on.  That one
 * may exceed its bounds until the pipe is given back.  Two calls, since the
 * pools belong to two workers. */
void pipe_pool_leave(struct pipe_pool *pool, const struct pipe *pipe);
void pipe_pool_enter(struct pipe_pool *pool, const struct pipe *pipe);

/* Takes back a pipe that still holds bytes: they are lost.  Accepts NULL. */
void pipe_discard(struct pipe_pool *pool, struct pipe *pipe);

#endif
