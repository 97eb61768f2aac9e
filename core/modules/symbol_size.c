/* SPDX-License-Identifier: MPL-2.0 */

/* dladdr1(), which not every C library has. */

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>

#include "modules/symbol_size.h"

#ifdef HAVE_DLADDR1
size_t size_of_symbol(const void *symbol)
{
	Dl_info info;
	void *extra = NULL;
	const ElfW(Sym) * entry;

	if (!dladdr1(symbol, &info, &extra, RTLD_DL_SYMENT) || !extra)
		return 0;
	entry = extra;
	return entry->st_size;
}
#else
struct mapped {
	uintptr_t at;
	size_t size;
};

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct mapped *mapped = arg;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t offset =
			mapped->at - info->dlpi_addr - segment->p_vaddr;

		if (segment->p_type != PT_LOAD || offset >= segment->p_memsz)
			continue;
		mapped->size = segment->p_memsz - offset;
		return 1;
	}
	return 0;
}

size_t size_of_symbol(const void *symbol)
{
	struct mapped mapped = {.at = (uintptr_t)symbol};

	(void)dl_iterate_phdr(look, &mapped);
	return mapped.size;
}
#endif
