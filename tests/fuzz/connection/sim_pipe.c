/* SPDX-License-Identifier: MPL-2.0 */

/* Simulated pipes, and the calls for them. */

/* On 32 bits it renames fcntl() to fcntl64(), and both are defined here. */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim.h"
#include "sim_pipe.h"

static int fail(int error)
{
	errno = error;
	return -1;
}

int pipe2(int fds[2], int flags)
{
	struct sim_pipe *pipe;
	int error;

	/* Others are for child processes. */
	if (!sim_here() || !(flags & O_NONBLOCK))
		return (int)syscall(SYS_pipe2, fds, flags);
	error = sim_fails(SIM_PIPE);
	if (error)
		return fail(error);
	pipe = sim_alloc(sizeof(*pipe));
	pipe->size = 65536;
	pipe->ends = 2;
	fds[0] = sim_file_new(SIM_PIPE_READ, pipe);
	fds[1] = sim_file_new(SIM_PIPE_WRITE, pipe);
	return 0;
}

ssize_t sim_pipe_read(struct sim_pipe *pipe, void *to, size_t len)
{
	int error = sim_fails(SIM_PIPE_RD);
	size_t n = pipe->bytes.len < len ? pipe->bytes.len : len;

	if (error)
		return fail(error);
	if (n == 0)
		return fail(EAGAIN);
	sim_bytes_take(&pipe->bytes, to, n);
	return (ssize_t)n;
}

void sim_pipe_close(struct sim_pipe *pipe)
{
	if (--pipe->ends > 0)
		return;
	free(pipe->bytes.data);
	free(pipe);
}

/* The size of a pipe is a power of 2, and at least a page. */
static int resize(struct sim_pipe *pipe, int wanted)
{
	int error = sim_fails(SIM_PIPE_SIZE);

	if (error)
		return fail(error);
	for (pipe->size = 4096; pipe->size < (size_t)wanted;)
		pipe->size *= 2;
	return (int)pipe->size;
}

static int control(int fd, int what, long arg)
{
	struct sim_file *file = sim_file(fd);

	if (!file)
		return (int)syscall(SYS_fcntl, fd, what, arg);
	if (what == F_SETPIPE_SZ)
		return resize(file->pipe, (int)arg);
	if (what == F_GETPIPE_SZ)
		return (int)file->pipe->size;
	return 0;
}

int fcntl(int fd, int what, ...)
{
	va_list ap;
	long arg;

	va_start(ap, what);
	arg = va_arg(ap, long);
	va_end(ap);
	return control(fd, what, arg);
}

int fcntl64(int fd, int what, ...);
int fcntl64(int fd, int what, ...)
{
	va_list ap;
	long arg;

	va_start(ap, what);
	arg = va_arg(ap, long);
	va_end(ap);
	return control(fd, what, arg);
}

static ssize_t splice_in(struct sim_tcp *tcp, struct sim_pipe *pipe, size_t len)
{
	static uint8_t bytes[1 << 20];
	int error = sim_fails(SIM_SPLICE_IN);
	ssize_t got;

	if (error == EINVAL || error == EPERM || error == ENOSYS)
		return fail(error);
	if (error)
		sim_fail(SIM_RECV, error, 0);
	if (len > sim_splice_most)
		len = sim_splice_most;
	if (len > pipe->size - pipe->bytes.len)
		len = pipe->size - pipe->bytes.len;
	if (len > sizeof(bytes))
		len = sizeof(bytes);
	if (len == 0)
		return fail(EAGAIN);
	got = sim_tcp_recv(tcp, bytes, len, 0);
	if (got > 0)
		sim_bytes_add(&pipe->bytes, bytes, (size_t)got);
	return got;
}

static ssize_t splice_out(
	struct sim_pipe *pipe, struct sim_tcp *tcp, size_t len)
{
	int error = sim_fails(SIM_SPLICE_OUT);
	ssize_t sent;

	if (error == EINVAL || error == EPERM || error == ENOSYS)
		return fail(error);
	if (error)
		sim_fail(SIM_SEND, error, 0);
	if (pipe->bytes.len == 0)
		return fail(EAGAIN);
	if (len > pipe->bytes.len)
		len = pipe->bytes.len;
	sent = sim_tcp_send(tcp, pipe->bytes.data + pipe->bytes.at, len);
	if (sent > 0)
		sim_bytes_take(&pipe->bytes, NULL, (size_t)sent);
	return sent;
}

ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t len,
	unsigned flags)
{
	struct sim_file *from = sim_file(in), *to = sim_file(out);

	if (!from && !to)
		return syscall(SYS_splice, in, in_at, out, out_at, len, flags);
	if (from && to && from->kind == SIM_TCP && to->kind == SIM_PIPE_WRITE)
		return splice_in(from->tcp, to->pipe, len);
	if (from && to && from->kind == SIM_PIPE_READ && to->kind == SIM_TCP)
		return splice_out(from->pipe, to->tcp, len);
	sim_die("splice(%d, %d)", in, out);
}
