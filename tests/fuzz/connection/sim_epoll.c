/* SPDX-License-Identifier: MPL-2.0 */

/* The table of simulated descriptors, and epoll. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim.h"

static struct sim_file files[SIM_FILES];
const struct sim_epoll *sim_idle;
void (*sim_on_idle)(void);
int sim_events_most = INT_MAX;

struct sim_file *sim_file(int fd)
{
	if (fd < SIM_FD || fd >= SIM_FD + SIM_FILES ||
		files[fd - SIM_FD].kind == SIM_FREE)
		return NULL;
	return &files[fd - SIM_FD];
}

int sim_file_new(enum sim_kind kind, void *what)
{
	for (int i = 0; i < SIM_FILES; i++) {
		if (files[i].kind != SIM_FREE)
			continue;
		memset(&files[i], 0, sizeof(files[i]));
		files[i].kind = kind;
		files[i].tcp = what; /* or another member of the union */
		return SIM_FD + i;
	}
	sim_die("no simulated descriptor is left");
}

static void unwatch(int fd)
{
	struct sim_epoll *epoll = sim_file(fd)->watch;

	if (!epoll)
		return;
	for (unsigned i = 0; i < epoll->count; i++)
		if (epoll->fds[i] == fd) {
			epoll->fds[i] = epoll->fds[--epoll->count];
			break;
		}
	sim_file(fd)->watch = NULL;
}

void sim_file_free(int fd)
{
	struct sim_file *file = sim_file(fd);

	unwatch(fd);
	file->kind = SIM_FREE;
}

void sim_wake(int fd)
{
	sim_file(fd)->pending = true;
}

unsigned sim_count(enum sim_kind kind)
{
	unsigned n = 0;

	for (int i = 0; i < SIM_FILES; i++)
		n += files[i].kind == kind;
	return n;
}

size_t sim_piped(void)
{
	size_t n = 0;

	for (int i = 0; i < SIM_FILES; i++)
		if (files[i].kind == SIM_PIPE_READ)
			n += files[i].pipe->bytes.len;
	return n;
}

uint32_t sim_mask(struct sim_file *file)
{
	switch (file->kind) {
	case SIM_TCP:
		return sim_tcp_mask(file->tcp);
	case SIM_LISTENER:
		return file->listener->count ? EPOLLIN : 0;
	case SIM_EVENT:
		return file->count ? EPOLLIN : 0;
	default:
		return 0;
	}
}

/* What is to be reported of a descriptor now. */
static uint32_t events_of(struct sim_file *file)
{
	uint32_t always = EPOLLERR | EPOLLHUP;

	if ((file->wanted.events & EPOLLET) && !file->pending)
		return 0;
	return sim_mask(file) & (file->wanted.events | always);
}

int epoll_create1(int flags)
{
	struct sim_epoll *epoll;

	if (!sim_here())
		return (int)syscall(SYS_epoll_create1, flags);
	epoll = sim_alloc(sizeof(*epoll));
	return sim_file_new(SIM_EPOLL, epoll);
}

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct sim_file *epoll = sim_file(epfd), *file = sim_file(fd);
	int error;

	if (!epoll)
		return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
	if (!file)
		sim_die("epoll_ctl: descriptor %d is not simulated", fd);
	error = op == EPOLL_CTL_DEL ? 0 : sim_fails(SIM_EPOLL_CTL);
	if (!error && op == EPOLL_CTL_ADD && file->watch)
		error = EEXIST;
	if (!error && op != EPOLL_CTL_ADD && file->watch != epoll->epoll)
		error = ENOENT;
	if (error) {
		errno = error;
		return -1;
	}
	if (op == EPOLL_CTL_DEL) {
		unwatch(fd);
		return 0;
	}
	file->wanted = *event;
	file->pending = true;
	if (op == EPOLL_CTL_ADD) {
		file->watch = epoll->epoll;
		epoll->epoll->fds[epoll->epoll->count++] = fd;
	}
	return 0;
}

int epoll_wait(int epfd, struct epoll_event *out, int most, int ms)
{
	struct sim_file *self = sim_file(epfd);
	struct sim_epoll *epoll;
	int n = 0;

	if (!self)
		return (int)syscall(
			SYS_epoll_pwait, epfd, out, most, ms, NULL, 0);
	epoll = self->epoll;
	if (most > sim_events_most)
		most = sim_events_most;
	for (unsigned i = 0; i < epoll->count && n < most; i++) {
		unsigned at = (epoll->first + i) % epoll->count;
		struct sim_file *file = sim_file(epoll->fds[at]);
		uint32_t events = events_of(file);

		file->pending = false;
		if (!events)
			continue;
		out[n].events = events;
		out[n++].data = file->wanted.data;
	}
	if (epoll->count)
		epoll->first = (epoll->first + 1) % epoll->count;
	if (n == 0 && ms != 0) {
		epoll->next_ms = ms;
		sim_idle = epoll;
		if (sim_on_idle)
			sim_on_idle();
	}
	return n;
}

int eventfd(unsigned int count, int flags)
{
	int fd;

	if (!sim_here())
		return (int)syscall(SYS_eventfd2, count, flags);
	fd = sim_file_new(SIM_EVENT, NULL);
	sim_file(fd)->count = count;
	return fd;
}
