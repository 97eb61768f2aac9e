/* SPDX-License-Identifier: MPL-2.0 */

/* Checks the headers of a module's file before the dynamic linker sees it. */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/elf_check.h"

#define SEGMENTS_MAX 128 /* gcc and clang make about ten */
#define DYNAMIC_MAX  256 /* entries; they make about thirty */

/* The linker sets this to the header of the program itself. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct file {
	int fd;
	uint64_t size;
	ElfW(Ehdr) header;
	ElfW(Phdr) segments[SEGMENTS_MAX];
};

static bool is_within(const struct file *file, uint64_t at, uint64_t len)
{
	return at <= file->size && len <= file->size - at;
}

static int cut_off(const struct file *file, struct relay_err *err)
{
	return relay_fail(err,
		"it is cut off: its headers describe more than the %llu bytes "
		"that it has",
		(unsigned long long)file->size);
}

static int read_at(const struct file *file, void *to, size_t len, uint64_t at,
	struct relay_err *err)
{
	ssize_t got;

	if (!is_within(file, at, len))
		return cut_off(file, err);
	do
		got = pread(file->fd, to, len, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return relay_fail(err, "cannot read it: %s", strerror(errno));
	/* It has become shorter since its length was asked for. */
	return (size_t)got == len ? 0 : cut_off(file, err);
}

static int check_header(struct file *file, struct relay_err *err)
{
	const ElfW(Ehdr) *own = &__ehdr_start;
	ElfW(Ehdr) *header = &file->header;

	if (file->size < sizeof(*header))
		return relay_fail(err, "file too short: it has %llu bytes",
			(unsigned long long)file->size);
	if (read_at(file, header, sizeof(*header), 0, err) != 0)
		return -1;
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return relay_fail(
			err, "invalid ELF header: it is no shared object");
	if (header->e_ident[EI_CLASS] != own->e_ident[EI_CLASS] ||
		header->e_ident[EI_DATA] != own->e_ident[EI_DATA] ||
		header->e_machine != own->e_machine)
		return relay_fail(err,
			"it was built for another machine: class %u, byte "
			"order %u, machine %u instead of %u, %u, %u",
			header->e_ident[EI_CLASS], header->e_ident[EI_DATA],
			header->e_machine, own->e_ident[EI_CLASS],
			own->e_ident[EI_DATA], own->e_machine);
	if (header->e_type != ET_DYN)
		return relay_fail(err,
			"it is an ELF file of type %u, not a shared object",
			header->e_type);
	if (header->e_phentsize != sizeof(file->segments[0]) ||
		header->e_phnum == 0 || header->e_phnum > SEGMENTS_MAX)
		return relay_fail(err,
			"its header describes %u segments of %u bytes, which "
			"cannot be right",
			header->e_phnum, header->e_phentsize);
	/* The table of sections is at the end; the dynamic linker does not need
	 * it, but a file without it is not what was built. */
	if (header->e_shoff &&
		!is_within(file, header->e_shoff,
			(uint64_t)header->e_shnum * header->e_shentsize))
		return cut_off(file, err);
	return 0;
}

/* The dynamic linker reads these tables without asking whether they exist. */
static int check_dynamic(const struct file *file, const ElfW(Phdr) * segment,
	struct relay_err *err)
{
	ElfW(Dyn) entries[DYNAMIC_MAX];
	size_t count = segment->p_filesz / sizeof(entries[0]), i;
	bool strings = false, symbols = false;

	if (count == 0 || count > DYNAMIC_MAX)
		return relay_fail(err,
			"its table for the dynamic linker has %zu entries, "
			"which cannot be right",
			count);
	if (read_at(file, entries, count * sizeof(entries[0]),
		    segment->p_offset, err) != 0)
		return -1;
	for (i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
		strings |= entries[i].d_tag == DT_STRTAB;
		symbols |= entries[i].d_tag == DT_SYMTAB;
	}
	if (i < count && strings && symbols)
		return 0;
	return relay_fail(err,
		"its table for the dynamic linker is damaged: it lacks %s",
		i == count ? "an end"
		: !strings ? "strings"
			   : "symbols");
}

static int check_segments(struct file *file, struct relay_err *err)
{
	const ElfW(Phdr) *dynamic = NULL;
	bool loads = false;

	if (read_at(file, file->segments,
		    file->header.e_phnum * sizeof(file->segments[0]),
		    file->header.e_phoff, err) != 0)
		return -1;
	for (size_t i = 0; i < file->header.e_phnum; i++) {
		const ElfW(Phdr) *segment = &file->segments[i];

		if (segment->p_type == PT_NULL)
			continue;
		if (!is_within(file, segment->p_offset, segment->p_filesz))
			return cut_off(file, err);
		if (segment->p_type == PT_DYNAMIC)
			dynamic = segment;
		loads |= segment->p_type == PT_LOAD;
	}
	if (!loads || !dynamic)
		return relay_fail(err,
			"it has no segment that could be loaded: it is no "
			"shared object, or damaged");
	return check_dynamic(file, dynamic, err);
}

int elf_check(const char *path, struct relay_err *err)
{
	struct file file = {
		.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
	struct stat st;
	int result = -1;

	if (file.fd < 0)
		return relay_fail(err, "%s", strerror(errno));
	if (fstat(file.fd, &st) != 0)
		relay_fail(err, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		relay_fail(err, "it is no regular file");
	else
		result = 0;
	file.size = result == 0 ? (uint64_t)st.st_size : 0;
	if (result == 0 && (check_header(&file, err) != 0 ||
				   check_segments(&file, err) != 0))
		result = -1;
	(void)close(file.fd);
	return result;
}
