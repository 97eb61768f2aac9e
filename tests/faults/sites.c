/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Makes one call fail at one place of the server or of a library; see
 * README.md.
 *
 * A place ("site") is a call in the machine code, so that it is the same in
 * each run, whatever the threads do meanwhile.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SITES  8192 /* a power of 2; a start has some hundreds */
#define EXPORT __attribute__((visibility("default")))

struct site {
	_Atomic uint64_t key;  /* 0: free */
	_Atomic uint64_t hits; /* since the test has set it to 0 */
	uint64_t offset;       /* of the return address in the object */
	char call[40];
	char object[40];
};

/* Shared with the test and with child processes. */
struct control {
	_Atomic uint64_t counting; /* 0: nothing is noted, nothing fails */
	_Atomic uint64_t target;   /* the key of the site that fails; 0: none */
	_Atomic uint64_t first;    /* which of its calls fails first, from 1 */
	_Atomic uint64_t length;   /* how many calls fail from there */
	_Atomic uint64_t value;    /* which of the call's values */
	_Atomic uint64_t failed;   /* how many have failed */
	struct site sites[SITES];
};

/* What this process has found out about return addresses. */
struct known {
	_Atomic uintptr_t address;
	_Atomic(struct site *) site;
};

static struct control *control; /* NULL until the library is initialized */
static struct known known[SITES];

/* This thread is within fails() or dlsym(), whose own calls do not count. */
static __thread bool busy __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void set_up(void)
{
	const char *path = getenv("CALL_SITES");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at;

	if (fd < 0)
		return;
	at = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
		fd, 0);
	(void)close(fd);
	if (at != MAP_FAILED)
		control = at;
}

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3;
	return sum;
}

static void copy(char *out, size_t room, const char *text)
{
	size_t len = strnlen(text, room - 1);

	memcpy(out, text, len);
	out[len] = 0;
}

/* The record of a site that this process has not met before. */
static struct site *note(const char *call, uintptr_t address)
{
	Dl_info info = {.dli_fname = "?"};
	const char *slash;
	uint64_t offset, key;

	(void)dladdr((void *)address, &info);
	slash = strrchr(info.dli_fname, '/');
	slash = slash ? slash + 1 : info.dli_fname;
	offset = address - (uintptr_t)info.dli_fbase;
	key = hash(0xcbf29ce484222325, slash, strlen(slash));
	key = hash(key, &offset, sizeof(offset)) | 1;
	for (uint64_t i = 0; i < SITES; i++) {
		struct site *site = &control->sites[(key + i) % SITES];
		uint64_t before = 0;

		if (atomic_compare_exchange_strong(&site->key, &before, key)) {
			site->offset = offset;
			copy(site->call, sizeof(site->call), call);
			copy(site->object, sizeof(site->object), slash);
			return site;
		}
		if (before == key)
			return site;
	}
	return NULL;
}

static struct site *site_of(const char *call, uintptr_t address)
{
	for (uintptr_t i = 0; i < SITES; i++) {
		struct known *at = &known[((address >> 1) + i) % SITES];
		uintptr_t before = 0;

		if (atomic_compare_exchange_strong(
			    &at->address, &before, address))
			at->site = note(call, address);
		else if (before != address)
			continue;
		return at->site;
	}
	return NULL;
}

/* Whether the call that returns to this address must fail. */
static bool fails(const char *call, void *address)
{
	int before = errno;
	struct site *site;
	uint64_t hit;

	if (!control || !control->counting || busy)
		return false;
	busy = true;
	site = site_of(call, (uintptr_t)address);
	busy = false;
	errno = before;
	if (!site)
		return false;
	hit = ++site->hits;
	if (site->key != control->target || hit < control->first ||
		hit - control->first >= control->length)
		return false;
	control->failed++;
	return true;
}

static int value_of(const int *values, size_t count)
{
	return values[control->value % count];
}

/*
 * Each function has the type of a function with ten words, of which it passes
 * all on: on all machines where this is built, a call with fewer words works
 * the same. Functions that take or return a number with a point are not in the
 * table.
 */
typedef long long result_fn(
	long, long, long, long, long, long, long, long, long, long);

#define WRAP_ONE(name, failing, ...)                                           \
	EXPORT result_fn wrapped_##name __asm__(#name);                        \
	long long wrapped_##name(long a, long b, long c, long d, long e,       \
		long f, long g, long h, long i, long j)                        \
	{                                                                      \
		static _Atomic(result_fn *) real;                              \
		static const int values[] = {__VA_ARGS__};                     \
		const size_t count = sizeof(values) / sizeof(*values);         \
		bool was_busy = busy;                                          \
                                                                               \
		if (!real) {                                                   \
			busy = true;                                           \
			real = (result_fn *)dlsym(RTLD_NEXT, #name);           \
			busy = was_busy;                                       \
		}                                                              \
		if (fails(#name, __builtin_return_address(0))) {               \
			failing                                                \
		}                                                              \
		return real(a, b, c, d, e, f, g, h, i, j);                     \
	}

/* See large_file.h.  Of calls without such a name nobody asks for it. */
#ifdef __USE_FILE_OFFSET64
#define WRAP(name, failing, ...)                                               \
	WRAP_ONE(name, failing, __VA_ARGS__)                                   \
	WRAP_ONE(name##64, failing, __VA_ARGS__)
#else
#define WRAP WRAP_ONE
#endif

#define FAIL(result)                                                           \
	errno = value_of(values, count);                                       \
	return result;
#define MINUS(name, ...)   WRAP(name, FAIL(-1), __VA_ARGS__)
#define NOTHING(name, ...) WRAP(name, FAIL(0), __VA_ARGS__)
#define NUMBER(name, ...)                                                      \
	WRAP(name, return value_of(values, count);, __VA_ARGS__)
#define AFTER(name, ...)                                                       \
	WRAP(name, (void)real(a, b, c, d, e, f, g, h, i, j);                   \
		FAIL(-1), __VA_ARGS__)

#include "calls.def"

/* Memory: also needed while a wrapper above looks its function up. */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

static void *out_of_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

#define CALLER __builtin_return_address(0)

EXPORT void *malloc(size_t len)
{
	return fails("malloc", CALLER) ? out_of_memory() : __libc_malloc(len);
}

EXPORT void *calloc(size_t n, size_t len)
{
	return fails("calloc", CALLER) ? out_of_memory()
				       : __libc_calloc(n, len);
}

EXPORT void *realloc(void *at, size_t len)
{
	/* realloc() to 0 bytes frees memory, which never fails. */
	return len && fails("realloc", CALLER) ? out_of_memory()
					       : __libc_realloc(at, len);
}

EXPORT void *reallocarray(void *at, size_t n, size_t len)
{
	size_t all;

	if (__builtin_mul_overflow(n, len, &all))
		return out_of_memory();
	return all && fails("reallocarray", CALLER) ? out_of_memory()
						    : __libc_realloc(at, all);
}

EXPORT void *aligned_alloc(size_t align, size_t len)
{
	return fails("aligned_alloc", CALLER) ? out_of_memory()
					      : __libc_memalign(align, len);
}

EXPORT int posix_memalign(void **out, size_t align, size_t len)
{
	int before = errno;
	void *at = fails("posix_memalign", CALLER)
			   ? NULL
			   : __libc_memalign(align, len);

	errno = before;
	if (!at)
		return ENOMEM;
	*out = at;
	return 0;
}

EXPORT char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *text_copy =
		fails("strdup", CALLER) ? out_of_memory() : __libc_malloc(size);

	return text_copy ? memcpy(text_copy, text, size) : NULL;
}

EXPORT char *strndup(const char *text, size_t most)
{
	size_t len = strnlen(text, most);
	char *text_copy = fails("strndup", CALLER) ? out_of_memory()
						   : __libc_malloc(len + 1);

	if (!text_copy)
		return NULL;
	text_copy[len] = 0;
	return memcpy(text_copy, text, len);
}

/* Their arguments may be numbers with a point, so they do not fit the table. */

EXPORT int asprintf(char **out, const char *format, ...)
{
	int (*volatile real)(char **, const char *, va_list) = vasprintf;
	va_list args;
	int len = -1;

	if (fails("asprintf", CALLER)) {
		errno = ENOMEM;
		return -1;
	}
	va_start(args, format);
	busy = true;
	len = real(out, format, args);
	busy = false;
	va_end(args);
	return len;
}

struct evbuffer;

EXPORT int evbuffer_add_printf(struct evbuffer *out, const char *format, ...)
{
	static int (*real)(struct evbuffer *, const char *, va_list);
	va_list args;
	int len = -1;

	if (fails("evbuffer_add_printf", CALLER)) {
		errno = ENOMEM;
		return -1;
	}
	busy = true;
	if (!real)
		real = (int (*)(struct evbuffer *, const char *, va_list))dlsym(
			RTLD_NEXT, "evbuffer_add_vprintf");
	busy = false;
	va_start(args, format);
	len = real(out, format, args);
	va_end(args);
	return len;
}
