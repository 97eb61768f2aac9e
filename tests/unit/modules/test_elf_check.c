/* SPDX-License-Identifier: MPL-2.0 */

/* Files that are no modules, or damaged ones, are refused with a reason before
 * the dynamic linker reads them.  The good one is this program. */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "modules/elf_check.h"

static char path[] = "/tmp/elf-check-XXXXXX";
static struct relay_err err;
static uint8_t *program; /* its bytes */
static size_t size;
static struct {
	int fstat, pread, shorter; /* an errno, or 1: as if cut off */
} faults;

/* Their types are those of 64 bits everywhere; the names without 64 are not, on
 * 32 bits. */
int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
ssize_t __real_pread64(int fd, void *to, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *to, size_t len, off_t at);
int __wrap_fstat64(int fd, struct stat *st);

int __wrap_fstat(int fd, struct stat *st)
{
	if (!faults.fstat)
		return __real_fstat64(fd, st);
	errno = faults.fstat;
	return -1;
}

int __wrap_fstat64(int fd, struct stat *st)
{
	return __wrap_fstat(fd, st);
}

ssize_t __wrap_pread(int fd, void *to, size_t len, off_t at)
{
	ssize_t got;

	if (faults.pread == EINTR) {
		faults.pread = 0;
		errno = EINTR;
		return -1;
	}
	errno = faults.pread;
	got = faults.pread ? -1 : __real_pread64(fd, to, len, at);
	return faults.shorter && got > 0 ? got - 1 : got;
}

ssize_t __wrap_pread64(int fd, void *to, size_t len, off_t at)
{
	return __wrap_pread(fd, to, len, at);
}

/* A copy of the program, to be damaged. */
static ElfW(Ehdr) * fresh(uint8_t *copy)
{
	memcpy(copy, program, size);
	return (ElfW(Ehdr) *)(void *)copy;
}

static ElfW(Phdr) * segments(uint8_t *copy)
{
	return (ElfW(Phdr) *)(void *)(copy +
				      ((ElfW(Ehdr) *)(void *)copy)->e_phoff);
}

static ElfW(Phdr) * segment(uint8_t *copy, unsigned type)
{
	unsigned i = 0;

	while (segments(copy)[i].p_type != type)
		i++;
	return &segments(copy)[i];
}

static void put(const uint8_t *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

static void refused(const uint8_t *bytes, size_t len, const char *why)
{
	put(bytes, len);
	assert_int_equal(elf_check(path, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" instead of \"%s\"", err.text, why);
}

static int setup(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct stat st;

	memset(&faults, 0, sizeof(faults));
	if (fd < 0 || __real_fstat64(fd, &st) != 0)
		return -1;
	size = (size_t)st.st_size;
	program = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	*state = malloc(size);
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	return program == MAP_FAILED || !*state || fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	free(*state);
	(void)munmap(program, size);
	return unlink(path);
}

static void a_whole_file_is_good(void **state)
{
	(void)state;
	put(program, size);
	assert_int_equal(elf_check(path, &err), 0);
	faults.pread = EINTR;
	assert_int_equal(elf_check(path, &err), 0);
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(elf_check("/nowhere", &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(elf_check("/dev/null", &err), -1);
	assert_non_null(strstr(err.text, "it is no regular file"));
	put(program, size);
	faults.fstat = EIO;
	assert_int_equal(elf_check(path, &err), -1);
	assert_non_null(strstr(err.text, strerror(EIO)));
	faults.fstat = 0;
	faults.pread = EIO;
	refused(program, size, "cannot read it");
	faults.pread = 0;
	faults.shorter = 1;
	refused(program, size, "it is cut off");
}

static void a_header_that_cannot_be_right_is_refused(void **state)
{
	uint8_t *copy = *state;

	refused(program, 10, "file too short: it has 10 bytes");
	fresh(copy)->e_ident[0] = 'x';
	refused(copy, size, "invalid ELF header");
	fresh(copy)->e_machine++;
	refused(copy, size, "it was built for another machine");
	fresh(copy)->e_type = ET_REL;
	refused(copy, size, "it is an ELF file of type 1");
	fresh(copy)->e_phnum = 0;
	refused(copy, size, "its header describes 0 segments");
	fresh(copy)->e_phnum = UINT16_MAX;
	refused(copy, size, "its header describes 65535 segments");
	fresh(copy)->e_phentsize--;
	refused(copy, size, "which cannot be right");
	fresh(copy)->e_phoff = size - 1;
	refused(copy, size, "it is cut off");
	fresh(copy)->e_shoff = size;
	refused(copy, size, "it is cut off");
	refused(program, size - 1, "it is cut off");
}

static void segments_that_cannot_be_right_are_refused(void **state)
{
	uint8_t *copy = *state;

	(void)fresh(copy);
	segment(copy, PT_DYNAMIC)->p_type = PT_NULL;
	refused(copy, size, "it has no segment that could be loaded");
	(void)fresh(copy);
	segment(copy, PT_LOAD)->p_offset = size + 1;
	refused(copy, size, "it is cut off");
	(void)fresh(copy);
	segment(copy, PT_DYNAMIC)->p_filesz = 0;
	refused(copy, size, "has 0 entries");
	(void)fresh(copy);
	segment(copy, PT_DYNAMIC)->p_filesz = sizeof(ElfW(Dyn));
	refused(copy, size, "it lacks an end");
}

/* Overwrites the tag of one entry of the table for the dynamic linker. */
static void lose(uint8_t *copy, ElfW(Sxword) tag)
{
	ElfW(Dyn) * entry;

	(void)fresh(copy);
	entry = (ElfW(Dyn) *)(void *)(copy +
				      segment(copy, PT_DYNAMIC)->p_offset);
	while (entry->d_tag != tag)
		entry++;
	entry->d_tag = DT_DEBUG;
}

static void a_table_without_what_the_linker_reads_is_refused(void **state)
{
	uint8_t *copy = *state;

	lose(copy, DT_STRTAB);
	refused(copy, size, "it lacks strings");
	lose(copy, DT_SYMTAB);
	refused(copy, size, "it lacks symbols");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_whole_file_is_good),
		T(what_is_no_file_is_refused),
		T(a_header_that_cannot_be_right_is_refused),
		T(segments_that_cannot_be_right_are_refused),
		T(a_table_without_what_the_linker_reads_is_refused),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
