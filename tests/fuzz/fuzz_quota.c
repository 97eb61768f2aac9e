/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the file of the quota.  What is read is written again in the same
 * words, or refused with a reason.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <strelaysrv/file.h>

#include "fuzz.h"
#include "state.h"

static char written[512];
static size_t written_len;

/* Instead of a file. */
int relay_file_replace(const char *path, const void *data, size_t size,
	unsigned mode, struct relay_err *err)
{
	(void)path;
	(void)mode;
	(void)err;
	FUZZ_CHECK(size < sizeof(written));
	memcpy(written, data, size);
	written_len = size;
	return 0;
}

static int read_bytes(const void *data, size_t size, struct meter *out,
	struct names *names, struct self *self)
{
	struct relay_err err = {.text = ""};
	char path[40];
	int fd = memfd_create("quota.state", MFD_CLOEXEC), result;

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	result = state_read(path, out, names, self, &err);
	(void)close(fd);
	FUZZ_CHECK(result == 0 || result == STATE_BEGIN ||
		   (result == -1 && err.text[0]));
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct meter untouched = {
		.begin_s = {-7, -7}, .relayed = {-7, -7}};
	struct meter one = untouched, again;
	struct names names = {0}, read = {0};
	struct self self = {.name = ""}, back = {.name = ""};
	struct relay_err err;

	if (read_bytes(data, size, &one, &names, &self) != 0) {
		FUZZ_CHECK(memcmp(&one, &untouched, sizeof(one)) == 0);
		FUZZ_CHECK(names.count == 0);
		return 0;
	}
	for (int i = 0; i < METERS; i++)
		FUZZ_CHECK(one.begin_s[i] >= 0 && one.relayed[i] >= 0);
	FUZZ_CHECK(state_write("unused", &one, &names, &self, &err) == 0);
	FUZZ_CHECK(read_bytes(written, written_len, &again, &read, &back) == 0);
	FUZZ_CHECK(memcmp(&one, &again, sizeof(one)) == 0);
	FUZZ_CHECK(memcmp(&self, &back, sizeof(self)) == 0);
	FUZZ_CHECK(names.count == read.count &&
		   (names.count == 0 ||
			   memcmp(names.list, read.list,
				   names.count * sizeof(*names.list)) == 0));
	names_free(&names);
	names_free(&read);
	return 0;
}
