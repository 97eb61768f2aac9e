/* SPDX-License-Identifier: MPL-2.0 */

/* Kernel pipes for bulk transfers, pooled per worker. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "peers/pipes.h"

/* A pipe that is smaller than this is slower than copying. */
#define PIPE_LEAST 32768
/* After the kernel has refused a pipe, this many requests fail without asking
 * it again, since asking at every transfer costs time. */
#define SKIP_AFTER_REFUSAL 1000

void pipe_pool_init(struct pipe_pool *pool, size_t size, unsigned most)
{
	*pool = (struct pipe_pool){.size = size, .most = size ? most : 0};
}

static void pipe_destroy(struct pipe_pool *pool, struct pipe *pipe)
{
	close(pipe->read_fd);
	close(pipe->write_fd);
	pool->large -= pipe->large;
	pool->made--;
	free(pipe);
}

void pipe_pool_finish(struct pipe_pool *pool)
{
	while (pool->idle) {
		struct pipe *pipe = pool->idle;

		pool->idle = pipe->next;
		pipe_destroy(pool, pipe);
	}
}

void pipe_pool_change(struct pipe_pool *pool, size_t size, unsigned most)
{
	if (size != pool->size)
		pipe_pool_finish(pool);
	pool->size = size;
	pool->most = size ? most : 0;
	pool->skip = 0;
}

bool pipe_refused(int error)
{
	return error == ENOSYS || error == EPERM || error == EACCES ||
	       error == EINVAL || error == EOPNOTSUPP;
}

void pipe_pool_refuse(struct pipe_pool *pool)
{
	pipe_pool_finish(pool);
	pool->skip = SKIP_AFTER_REFUSAL;
}

/* Makes it as large as wanted, or as the kernel allows; -1 if that is too
 * small. */
static int set_size(struct pipe *pipe, size_t want)
{
	size_t ask = want;
	int got;

	do {
		got = fcntl(pipe->write_fd, F_SETPIPE_SZ, (int)ask);
		ask /= 2;
	} while (got < 0 && ask > PIPE_LEAST);
	if (got < 0)
		got = fcntl(pipe->write_fd, F_GETPIPE_SZ);
	if (got < PIPE_LEAST && (size_t)got < want)
		return -1;
	pipe->size = (size_t)got;
	return 0;
}

static size_t size_of_next(struct pipe_pool *pool, struct pipe *pipe)
{
	if (pool->size <= PIPE_COMMON)
		return pool->size;
	if (pool->large >= PIPES_LARGE)
		return PIPE_COMMON;
	pipe->large = true;
	pool->large++;
	return pool->size;
}

static struct pipe *pipe_make(struct pipe_pool *pool)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));
	int fds[2];

	if (!pipe)
		return NULL;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) {
		free(pipe);
		return NULL;
	}
	pipe->read_fd = fds[0];
	pipe->write_fd = fds[1];
	pipe->asked = pool->size;
	pool->made++;
	if (set_size(pipe, size_of_next(pool, pipe)) != 0) {
		pipe_destroy(pool, pipe);
		errno = EPERM;
		return NULL;
	}
	return pipe;
}

struct pipe *pipe_take(struct pipe_pool *pool)
{
	struct pipe *pipe = pool->idle;

	if (pipe) {
		pool->idle = pipe->next;
		pipe->next = NULL;
		return pipe;
	}
	if (pool->made >= pool->most)
		return NULL;
	if (pool->skip) {
		pool->skip--;
		return NULL;
	}
	pipe = pipe_make(pool);
	if (!pipe) {
		pool->refusal = errno;
		pool->skip = SKIP_AFTER_REFUSAL;
	}
	return pipe;
}

void pipe_give(struct pipe_pool *pool, struct pipe *pipe)
{
	struct pipe **at = &pool->idle;

	if (pipe->asked != pool->size || pool->made > pool->most ||
		(pipe->large && pool->large > PIPES_LARGE)) {
		pipe_destroy(pool, pipe);
		return;
	}
	while (!pipe->large && *at && (*at)->large)
		at = &(*at)->next;
	pipe->next = *at;
	*at = pipe;
}

void pipe_pool_leave(struct pipe_pool *pool, const struct pipe *pipe)
{
	pool->large -= pipe->large;
	pool->made--;
}

void pipe_pool_enter(struct pipe_pool *pool, const struct pipe *pipe)
{
	pool->large += pipe->large;
	pool->made++;
}

void pipe_discard(struct pipe_pool *pool, struct pipe *pipe)
{
	if (pipe)
		pipe_destroy(pool, pipe);
}
