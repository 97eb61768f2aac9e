/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Runs a fuzz target without libFuzzer: first all given files, then mutations
 * of them.  Accepts the libFuzzer options that the scripts use:
 *   -runs=N  -seed=N  -max_total_time=SECONDS  -max_len=BYTES
 *   -artifact_prefix=PATH
 * and files and folders.  The same seed produces the same inputs.  It does not
 * use coverage, so it does not replace libFuzzer; it checks that the targets
 * still work.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX 4096
#define SEEDS_MAX 1024

struct input {
	uint8_t *data; /* owned */
	size_t len;
};

static struct input seeds[SEEDS_MAX];
static size_t seed_count;

static uint64_t runs = 100000, rounds_done;
static uint64_t random_state = 1;
static int64_t max_total_time_s;
static size_t max_len = INPUT_MAX;
static const char *artifact_prefix = "./";

/*
 * This file contains the current input.  It remains if the process crashes or a
 * sanitizer ends it.
 */
static char current_path[4096];
static int current_fd;

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "driver: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* splitmix64: works with any seed, also 0. */
static uint64_t next_random(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static size_t below(size_t n)
{
	return n ? (size_t)(next_random() % n) : 0;
}

static void open_current(void)
{
	int n = snprintf(current_path, sizeof(current_path), "%scrash-%s",
		artifact_prefix, program_invocation_short_name);

	if (n < 0 || (size_t)n >= sizeof(current_path)) {
		errno = ENAMETOOLONG;
		die(artifact_prefix);
	}
	current_fd = open(
		current_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (current_fd < 0)
		die(current_path);
}

/*
 * The target gets a block of exactly this size, so that out-of-bounds reads are
 * detected.
 */
static void run_one(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		die("malloc");
	if (len)
		memcpy(copy, data, len);
	if (pwrite(current_fd, copy, len, 0) != (ssize_t)len ||
		ftruncate(current_fd, (off_t)len))
		die(current_path);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	rounds_done++;
}

/* Files above SEEDS_MAX are skipped, because libFuzzer may have left many. */
static void read_seed(const char *path)
{
	struct input *seed = &seeds[seed_count];
	FILE *f;

	if (seed_count == SEEDS_MAX)
		return;
	f = fopen(path, "rb");
	if (!f)
		die(path);
	seed->data = malloc(INPUT_MAX);
	if (!seed->data)
		die("malloc");
	seed->len = fread(seed->data, 1, INPUT_MAX, f);
	if (ferror(f))
		die(path);
	(void)fclose(f);
	seed_count++;
}

static void read_path(const char *path)
{
	struct dirent **names;
	struct stat st;
	int n;

	if (stat(path, &st))
		die(path);
	if (!S_ISDIR(st.st_mode)) {
		read_seed(path);
		return;
	}
	/* Sorted, so that the order of files in the folder has no influence. */
	n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		die(path);
	for (int i = 0; i < n; i++) {
		char file[4096];

		(void)snprintf(
			file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			read_seed(file);
		free(names[i]);
	}
	free(names);
}

static const uint8_t edges[] = {0, 1, 2, 4, 31, 32, 33, 0x7f, 0x80, 0xff};

static void insert(struct input *in, size_t at, const uint8_t *data, size_t n)
{
	if (n > max_len - in->len)
		n = max_len - in->len;
	memmove(in->data + at + n, in->data + at, in->len - at);
	memcpy(in->data + at, data, n);
	in->len += n;
}

static void insert_bytes(struct input *in)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(next_random() & 0xff);
	insert(in, below(in->len + 1), bytes, 1 + below(sizeof(bytes)));
}

/* Inserts a piece of another or the same seed. */
static void insert_piece(struct input *in)
{
	const struct input *from = &seeds[below(seed_count)];
	size_t start = below(from->len + 1);
	size_t n = below(from->len - start + 1);

	insert(in, below(in->len + 1), from->data + start, n);
}

static void remove_piece(struct input *in)
{
	size_t at = below(in->len + 1), n = below(in->len - at + 1);

	memmove(in->data + at, in->data + at + n, in->len - at - n);
	in->len -= n;
}

static void mutate_once(struct input *in)
{
	size_t at = below(in->len);

	switch (below(6)) {
	case 0:
		insert_bytes(in);
		break;
	case 1:
		insert_piece(in);
		break;
	case 2:
		remove_piece(in);
		break;
	case 3:
		if (in->len)
			in->data[at] = (uint8_t)(next_random() & 0xff);
		break;
	case 4:
		if (in->len)
			in->data[at] = edges[below(sizeof(edges))];
		break;
	default:
		if (in->len)
			in->data[at] ^= (uint8_t)(1U << below(8));
		break;
	}
}

static void run_mutation(void)
{
	static uint8_t data[INPUT_MAX];
	const struct input *seed = &seeds[below(seed_count)];
	struct input in = {data, seed->len < max_len ? seed->len : max_len};

	memcpy(data, seed->data, in.len);
	for (size_t n = 1 + below(5); n; n--)
		mutate_once(&in);
	run_one(in.data, in.len);
}

static int64_t now_s(void)
{
	struct timespec t;

	/* Not clock_gettime(), which a target may have replaced. */
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t))
		die("clock_gettime");
	return (int64_t)t.tv_sec;
}

static bool number_option(const char *arg, const char *name, uint64_t *v)
{
	size_t len = strlen(name);
	char *end;

	if (strncmp(arg, name, len) || arg[len] != '=')
		return false;
	errno = 0;
	*v = strtoull(arg + len + 1, &end, 10);
	if (errno || end == arg + len + 1 || *end) {
		errno = EINVAL;
		die(arg);
	}
	return true;
}

/* Other libFuzzer options (-dict=) are ignored. */
static void read_option(const char *arg)
{
	static const char prefix[] = "-artifact_prefix=";
	uint64_t v;

	if (number_option(arg, "-runs", &v))
		runs = v;
	else if (number_option(arg, "-seed", &v))
		random_state = v;
	else if (number_option(arg, "-max_total_time", &v))
		max_total_time_s = (int64_t)(v & INT32_MAX);
	else if (number_option(arg, "-max_len", &v))
		max_len = v < INPUT_MAX ? (size_t)v : INPUT_MAX;
	else if (strncmp(arg, prefix, sizeof(prefix) - 1) == 0)
		artifact_prefix = arg + sizeof(prefix) - 1;
}

int main(int argc, char **argv)
{
	int64_t start = now_s();
	bool timed;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			read_option(argv[i]);
		else
			read_path(argv[i]);
	}
	open_current();
	for (size_t i = 0; i < seed_count; i++)
		run_one(seeds[i].data, seeds[i].len);
	timed = max_total_time_s > 0;
	while (seed_count > 0 && (timed ? now_s() - start < max_total_time_s
					: rounds_done < runs))
		run_mutation();
	(void)printf("%s: %" PRIu64 " inputs from %zu seeds\n",
		program_invocation_short_name, rounds_done, seed_count);
	for (size_t i = 0; i < seed_count; i++)
		free(seeds[i].data);
	(void)close(current_fd);
	(void)unlink(current_path);
	return 0;
}
