/* SPDX-License-Identifier: MPL-2.0 */

/* Memory for GMP while it computes with secrets. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gmp.h>

#include "tls/p384_memory.h"

#define ALIGN _Alignof(max_align_t)
/* More stack than Nettle's calls use, which keep parts of numbers there. */
#define STACK_LEN 16384

/* Global: the process has one set of these functions. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
	void *(*take)(size_t);
	void *(*resize)(void *, size_t, size_t);
	void (*give)(void *, size_t);
} before;

/* NULL: this thread does not compute with secrets now. */
static _Thread_local struct p384_memory *current;

static bool is_inside(const void *at)
{
	const uintptr_t begin = current ? (uintptr_t)current->block : 0;

	return current && (uintptr_t)at >= begin &&
	       (uintptr_t)at < begin + P384_MEMORY_LEN;
}

/* Falls back to the former allocator for what does not fit. */
static void *take(size_t len)
{
	size_t all = (len + ALIGN - 1) / ALIGN * ALIGN;
	void *at;

	if (!current || len > P384_MEMORY_LEN ||
		all > P384_MEMORY_LEN - current->used)
		return before.take(len);
	at = current->block + current->used;
	current->used += all;
	return at;
}

static void give(void *at, size_t len)
{
	if (is_inside(at))
		return;
	/* What does not fit in the block may be a secret, too. */
	if (current)
		explicit_bzero(at, len);
	before.give(at, len);
}

static void *resize(void *at, size_t old_len, size_t len)
{
	void *to;

	if (!current)
		return before.resize(at, old_len, len);
	if (len <= old_len && is_inside(at))
		return at;
	to = take(len);
	memcpy(to, at, len < old_len ? len : old_len);
	give(at, old_len);
	return to;
}

static void install(void)
{
	mp_get_memory_functions(&before.take, &before.resize, &before.give);
	mp_set_memory_functions(take, resize, give);
}

void p384_memory_begin(struct p384_memory *memory)
{
	(void)pthread_once(&once, install);
	memory->used = 0;
	current = memory;
}

static __attribute__((noinline)) void wipe_stack(void)
{
	unsigned char below[STACK_LEN];

	explicit_bzero(below, sizeof(below));
}

void p384_memory_end(struct p384_memory *memory)
{
	current = NULL;
	explicit_bzero(memory->block, memory->used);
	wipe_stack();
}
