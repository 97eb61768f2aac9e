/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A simulated kernel: sockets, pipes, epoll, time and random numbers.
 *
 * This program defines the system calls that the server and its libraries make
 * (sim_calls.c, sim_epoll.c, sim_time.c), and the linker prefers them to those
 * of libc.  They serve simulated descriptors, which are numbers from SIM_FD on,
 * and pass everything else on to the real kernel.  Only the thread that called
 * sim_enter() gets simulated descriptors, time and random numbers; other
 * threads, which read files, do not.
 *
 * The rules are those of Linux and TCP, and where Linux is free to do one thing
 * or another, the input decides.  What is not simulated ends the program.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#define SIM_FD    5000
#define SIM_FILES 512

/* Bytes in the order in which they were written. */
struct sim_bytes {
	uint8_t *data; /* owned */
	size_t at, len, room;
};

void sim_bytes_add(struct sim_bytes *bytes, const void *data, size_t len);
/* Removes len bytes, which must be there; to may be NULL. */
void sim_bytes_take(struct sim_bytes *bytes, void *to, size_t len);

/* A connection, with both of its ends. */
struct sim_tcp {
	struct sockaddr_in6 from;
	struct sim_bytes up;     /* from the client */
	struct sim_bytes down;   /* to the client, which has not taken them */
	size_t arrived;          /* of `up`: what the server can read */
	size_t rcvbuf, sndbuf;   /* of the server's socket */
	unsigned rtt_us;         /* the shortest round trip */
	int error;               /* pending error of the server's socket */
	bool eager;              /* bytes arrive as soon as there is room */
	bool up_fin;             /* the client has sent its FIN */
	bool down_fin;           /* the server has sent its FIN */
	bool client_reset;       /* the client has sent a RST, or its kernel */
	bool lost;               /* so bytes of the client did not arrive */
	bool client_gone;        /* the client has closed its socket */
	bool server_reset;       /* the server has sent a RST */
	bool server_gone;        /* the server has closed its socket */
	bool nospace;            /* a write waits for room */
	bool reset_at_close;     /* SO_LINGER of 0 seconds */
	uint64_t read;           /* bytes that the server has read */
	uint64_t discarded;      /* of these, by MSG_TRUNC */
	uint64_t written, acked; /* bytes to the client */
	int fd;                  /* the server's descriptor; -1: none */
};

/* What the client does. */
struct sim_tcp *sim_connect(unsigned listener, const struct sockaddr_in6 *from);
/* A connection that another process has accepted and hands over. */
struct sim_tcp *sim_import(const struct sockaddr_in6 *from);
void sim_client_send(struct sim_tcp *tcp, const void *data, size_t len);
/* Lets up to that many bytes arrive, as far as the window is open. */
void sim_deliver(struct sim_tcp *tcp, size_t most);
/* Returns how many bytes there were. */
size_t sim_client_take(struct sim_tcp *tcp, void *to, size_t most);
void sim_client_shutdown(struct sim_tcp *tcp);
void sim_client_reset(struct sim_tcp *tcp);
/* The client closes its socket: bytes that it gets later are answered by RST.
 */
void sim_client_close(struct sim_tcp *tcp);
/* Whether the client's next read finds the end, after all bytes. */
bool sim_client_at_end(const struct sim_tcp *tcp);
void sim_tcp_free(struct sim_tcp *tcp); /* when both sides have closed it */

/* What the server's calls do with one, see sim_tcp.c.  They return -1 with
 * errno as the calls do. */
ssize_t sim_tcp_recv(struct sim_tcp *tcp, void *to, size_t len, int flags);
ssize_t sim_tcp_send(struct sim_tcp *tcp, const void *data, size_t len);
int sim_tcp_shutdown(struct sim_tcp *tcp);
void sim_tcp_close(struct sim_tcp *tcp);
uint32_t sim_tcp_mask(struct sim_tcp *tcp);
size_t sim_tcp_room(const struct sim_tcp *tcp);
bool sim_tcp_writable(const struct sim_tcp *tcp);
/* The server has changed the size of a buffer. */
void sim_tcp_resized(struct sim_tcp *tcp);

/* Descriptors. */

enum sim_kind {
	SIM_FREE,
	SIM_TCP,
	SIM_LISTENER,
	SIM_PIPE_READ,
	SIM_PIPE_WRITE,
	SIM_EPOLL,
	SIM_EVENT
};

struct sim_pipe {
	struct sim_bytes bytes;
	size_t size;
	unsigned ends; /* that are open */
};

struct sim_epoll {
	int fds[SIM_FILES];
	unsigned count, first;
	int next_ms; /* of the last wait that found nothing; -1: no timer */
};

#define SIM_BACKLOG 64
struct sim_listener {
	struct sockaddr_in6 addr;
	struct sim_tcp *queue[SIM_BACKLOG];
	unsigned count;
	bool listens;
};

struct sim_file {
	enum sim_kind kind;
	union {
		struct sim_tcp *tcp;
		struct sim_listener *listener; /* owned, as are the next two */
		struct sim_pipe *pipe;
		struct sim_epoll *epoll;
	};
	_Alignas(8) _Atomic uint64_t count; /* SIM_EVENT */
	struct sim_epoll *watch;
	struct epoll_event wanted;
	bool pending; /* an event since the last report */
};

struct sim_file *sim_file(int fd); /* NULL: not a simulated descriptor */
int sim_file_new(enum sim_kind kind, void *what);
void sim_file_free(int fd);
void sim_wake(int fd);
uint32_t sim_mask(struct sim_file *file);
unsigned sim_count(enum sim_kind kind);
/* Bytes in all pipes. */
size_t sim_piped(void);
/* The descriptor of the last epoll_wait() that had nothing to report. */
extern const struct sim_epoll *sim_idle;
/* At most this many events are reported at once. */
extern int sim_events_most;
/* Called by an epoll_wait() that has nothing to report and would sleep. */
extern void (*sim_on_idle)(void);

/* Time and chance. */

void sim_enter(void);
void sim_leave(void);
bool sim_here(void);
extern int64_t sim_us;          /* the monotonic clock */
extern int64_t sim_us_per_look; /* what each look at a clock costs */
void sim_seed(uint64_t seed);
uint64_t sim_random(void);

/* Calls that fail. */
enum sim_call {
	SIM_RECV,
	SIM_SEND,
	SIM_SPLICE_IN,
	SIM_SPLICE_OUT,
	SIM_PIPE,
	SIM_PIPE_SIZE,
	SIM_PIPE_RD,
	SIM_ACCEPT,
	SIM_SHUTDOWN,
	SIM_SETSOCKOPT,
	SIM_GETSOCKOPT,
	SIM_IOCTL,
	SIM_EPOLL_CTL,
	SIM_MALLOC,
	SIM_CALLS
};

/* The call after `after` others of its kind fails with that error. */
void sim_fail(enum sim_call call, int error, unsigned after);
void sim_fail_none(void);
/* 0, or the errno of this call. */
int sim_fails(enum sim_call call);
/* How many calls have failed since the start. */
extern uint64_t sim_failed;

/* At most this many bytes are moved by one splice(2) out of a socket. */
extern size_t sim_splice_most;

/* Whether each step is written to stderr: FUZZ_TRACE is set. */
extern bool sim_trace;

/* All zero.  Not malloc(), which may be told to fail. */
void *sim_alloc(size_t len);

/* A fault in what the server does, or in the simulation. */
_Noreturn void sim_die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
