/* SPDX-License-Identifier: MPL-2.0 */

/* A table that is filled as modules are opened, and only read afterwards. */

#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "loop/code_map.h"

#define OWNERS_MAX 128
#define STACK_MOST 32768 /* bytes of a stack that are searched */
#define STEP       512   /* bytes read at a time; a page is a multiple of it */

/* Global: see code_map.h.  A handler reads an entry once it is counted. */
static struct code_owner owners[OWNERS_MAX];
static atomic_uint count;

struct search {
	uintptr_t address, start, end;
};

/* The object that contains the address; the range of its executable segments.
 */
static int match(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *search = arg;
	bool found = false;

	(void)size;
	search->start = UINTPTR_MAX;
	search->end = 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;
		uintptr_t end = start + segment->p_memsz;

		if (segment->p_type != PT_LOAD)
			continue;
		found |= search->address >= start && search->address < end;
		if (!(segment->p_flags & PF_X))
			continue;
		if (start < search->start)
			search->start = start;
		if (end > search->end)
			search->end = end;
	}
	return found;
}

void code_map_add(const void *address, const char *name, const char *version,
	const void *module)
{
	struct search search = {.address = (uintptr_t)address};
	unsigned at = 0, used = atomic_load(&count);

	if (dl_iterate_phdr(match, &search) != 1 || search.start >= search.end)
		return;
	/* An entry that was removed is used again. */
	while (at < used && owners[at].end != 0)
		at++;
	if (at == OWNERS_MAX)
		return;
	owners[at].is_program = !name;
	owners[at].module = module;
	(void)snprintf(owners[at].name, sizeof(owners[at].name), "%s",
		name ? name : "");
	(void)snprintf(owners[at].version, sizeof(owners[at].version), "%s",
		version ? version : "");
	owners[at].start = search.start;
	owners[at].end = search.end;
	if (at == used)
		atomic_store(&count, used + 1);
}

void code_map_remove(const void *address)
{
	struct search search = {.address = (uintptr_t)address};
	unsigned used = atomic_load(&count);

	if (dl_iterate_phdr(match, &search) != 1)
		return;
	for (unsigned i = 0; i < used; i++)
		if (owners[i].start == search.start)
			owners[i].start = owners[i].end = 0;
}

const struct code_owner *code_map_find(uintptr_t address)
{
	unsigned used = atomic_load(&count);

	for (unsigned i = 0; i < used; i++)
		if (address >= owners[i].start && address < owners[i].end)
			return &owners[i];
	return NULL;
}

void code_map_registers(const void *context, uintptr_t *pc, uintptr_t *sp)
{
#if defined(__x86_64__)
	const ucontext_t *at = context;

	*pc = (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
	*sp = (uintptr_t)at->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	const ucontext_t *at = context;

	*pc = (uintptr_t)at->uc_mcontext.pc;
	*sp = (uintptr_t)at->uc_mcontext.sp;
#else
	/* The handler's own frame is on the thread's stack, or none is. */
	(void)context;
	(void)pc;
	(void)sp;
#endif
}

bool code_map_read(uintptr_t from, void *to, size_t len)
{
	const struct iovec into = {.iov_base = to, .iov_len = len};
	/* The address may be of any thread's stack, or none. */
	const struct iovec at = {.iov_base = (void *)from, .iov_len = len};

	return process_vm_readv(getpid(), &into, 1, &at, 1, 0) == (ssize_t)len;
}

const struct code_owner *code_map_caller(uintptr_t from, bool modules_only)
{
	uintptr_t words[STEP / sizeof(uintptr_t)];
	uintptr_t at = from / STEP * STEP;

	for (; at < from + STACK_MOST && code_map_read(at, words, STEP);
		at += STEP) {
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			const struct code_owner *owner =
				at + i * sizeof(words[0]) < from
					? NULL
					: code_map_find(words[i]);

			if (owner && !(modules_only && owner->is_program))
				return owner;
		}
	}
	return NULL;
}
