/* SPDX-License-Identifier: MPL-2.0 */

/* Makes selected calls of the C library fail; see README.md. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "large_file.h"

enum kind {
	MEMORY = 1,
	MMAP = 2,
	RANDOM = 4,
	FORK = 8,
	THREAD = 16,
	SOCKET = 32,
	ACCEPT = 64,
	OPEN = 128,
	STAT = 256,
	STUCK = 512,
	SPLICE = 1024,
	EPOLL = 2048,
};

#define FIRST_THREAD 1 /* stands for the first thread of each process */

struct ssl_st;

struct control {
	_Atomic uint64_t kinds, first, length, counted, failed, error;
	_Atomic uint64_t constant, thread, handshakes;
};

static struct control *control; /* NULL until the library is initialized */

/* The depth of nested handshakes of this thread.  Reading it must not allocate
 * memory. */
static __thread unsigned in_handshake
	__attribute__((tls_model("initial-exec")));

#define EXPORT __attribute__((visibility("default")))

/* The system call.  Machines of 32 bits count the offset in units of 4,096
 * bytes; s390x has one argument, which points to all. */
static void *map(
	void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
#if defined(SYS_mmap2)
	return (void *)syscall(SYS_mmap2, at, len, prot, flags, fd,
		(unsigned long)(offset / 4096));
#elif defined(__s390x__)
	const unsigned long all[] = {(unsigned long)at, len,
		(unsigned long)prot, (unsigned long)flags, (unsigned long)fd,
		(unsigned long)offset};

	return (void *)syscall(SYS_mmap, all);
#else
	return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
#endif
}

/* Uses only system calls, because this may run within malloc(). */
__attribute__((constructor)) static void set_up(void)
{
	const char *path = getenv("FAULTS");
	long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC)
		       : -1;
	void *at;

	if (fd < 0)
		return;
	at = map(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
		(int)fd, 0);
	(void)syscall(SYS_close, fd);
	if (at != MAP_FAILED)
		control = at;
}

/* For a breakpoint of a debugger. */
__attribute__((noinline)) static void faults_hit(void)
{
	control->failed++;
}

static bool is_meant(uint64_t thread)
{
	uint64_t wanted = control->thread;

	if (wanted == FIRST_THREAD)
		wanted = (uint64_t)getpid();
	return !wanted || wanted == thread;
}

/* Whether this call must fail. */
static bool fails(enum kind kind)
{
	uint64_t first, at;

	if (!control || !(control->kinds & kind))
		return false;
	if (control->handshakes && !in_handshake)
		return false;
	if (!is_meant((uint64_t)syscall(SYS_gettid)))
		return false;
	at = ++control->counted;
	first = control->first;
	if (!first || at < first || at - first >= control->length)
		return false;
	faults_hit();
	errno = kind == MEMORY || !control->error ? ENOMEM
						  : (int)control->error;
	return true;
}

/* Memory: these replace the C library's functions of the same names. */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

EXPORT void *malloc(size_t len)
{
	return fails(MEMORY) ? NULL : __libc_malloc(len);
}

EXPORT void *calloc(size_t n, size_t len)
{
	return fails(MEMORY) ? NULL : __libc_calloc(n, len);
}

EXPORT void *realloc(void *at, size_t len)
{
	/* realloc() to 0 bytes frees memory, which never fails. */
	return len && fails(MEMORY) ? NULL : __libc_realloc(at, len);
}

EXPORT void *reallocarray(void *at, size_t n, size_t len)
{
	size_t all;

	if (__builtin_mul_overflow(n, len, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(at, all);
}

EXPORT void *memalign(size_t align, size_t len)
{
	return fails(MEMORY) ? NULL : __libc_memalign(align, len);
}

EXPORT void *aligned_alloc(size_t align, size_t len)
{
	return memalign(align, len);
}

EXPORT int posix_memalign(void **out, size_t align, size_t len)
{
	int before = errno;
	void *at = memalign(align, len);

	errno = before;
	if (!at)
		return ENOMEM;
	*out = at;
	return 0;
}

/* All other calls. */

/* Any thread may be the first that needs it. */
#define REAL_AS(name, symbol)                                                  \
	static _Atomic(__typeof__(&name)) real;                                \
	if (!real)                                                             \
	real = (__typeof__(&name))dlsym(RTLD_NEXT, symbol)
#define REAL(name) REAL_AS(name, #name)

/*
 * OpenSSL's function, which the server calls by name.  It is looked up before
 * main(), because the dynamic loader allocates memory and takes locks.
 */
static int (*real_handshake)(struct ssl_st *);

__attribute__((constructor)) static void find_handshake(void)
{
	real_handshake =
		(int (*)(struct ssl_st *))dlsym(RTLD_NEXT, "SSL_do_handshake");
}

EXPORT int SSL_do_handshake(struct ssl_st *ssl)
{
	int result;

	in_handshake++;
	result = real_handshake(ssl);
	in_handshake--;
	return result;
}

EXPORT void *mmap(
	void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (fails(MMAP))
		return MAP_FAILED;
	return map(at, len, prot, flags, fd, offset);
}

EXPORT ssize_t getrandom(void *out, size_t len, unsigned flags)
{
	if (control && control->constant) {
		memset(out, (int)control->constant, len);
		return (ssize_t)len;
	}
	if (fails(RANDOM))
		return -1;
	return syscall(SYS_getrandom, out, len, flags);
}

EXPORT int getentropy(void *out, size_t len)
{
	return getrandom(out, len, 0) == (ssize_t)len ? 0 : -1;
}

EXPORT pid_t fork(void)
{
	pid_t child;

	REAL(fork);
	if (fails(FORK))
		return -1;
	if (!fails(STUCK))
		return real();
	child = real();
	if (child == 0) /* like a child that waits for a lock */
		for (;;)
			(void)pause();
	return child;
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
	void *(*run)(void *), void *arg)
{
	REAL(pthread_create);
	return fails(THREAD) ? EAGAIN : real(thread, attr, run, arg);
}

EXPORT int socket(int domain, int type, int protocol)
{
	REAL(socket);
	return fails(SOCKET) ? -1 : real(domain, type, protocol);
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	REAL(accept4);
	return fails(ACCEPT) ? -1 : real(fd, addr, len, flags);
}

EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	REAL_AS(open, LARGE_FILE(open));
	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails(OPEN) ? -1 : real(path, flags, mode);
}

EXPORT int stat(const char *path, struct stat *out)
{
	REAL_AS(stat, LARGE_FILE(stat));
	return fails(STAT) ? -1 : real(path, out);
}

EXPORT ssize_t splice(int from, off64_t *from_at, int to, off64_t *to_at,
	size_t len, unsigned flags)
{
	REAL(splice);
	return fails(SPLICE) ? -1 : real(from, from_at, to, to_at, len, flags);
}

EXPORT int epoll_wait(int fd, struct epoll_event *out, int most, int wait_ms)
{
	REAL(epoll_wait);
	return fails(EPOLL) ? -1 : real(fd, out, most, wait_ms);
}
