/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes configuration files with their includes, and the bytes that the
 * process that reads them sends to the server.  Lines of "%%%" separate the
 * files a.conf, b.conf and c.conf; if the first byte is 1, the rest is such
 * bytes instead.
 *
 * The server reads files in a child process, which ends afterwards.  Here the
 * same process does it, so that a fuzzer can follow: what the child would leave
 * allocated is freed.  A good configuration that is shown as -check does must
 * give the same values when it is read again.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include <strelaysrv/file.h>

#include "config/config.h"
#include "config/config_child.h"
#include "config/config_reader.h"
#include "config/options.h"
#include "config/show_config.h"
#include "fuzz.h"
#include "sample_options.h"

/* What the child allocates. */

#define BLOCKS (1U << 14) /* at a time */

static void *blocks[BLOCKS];
static size_t block_count;
static bool in_child;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_reallocarray(void *block, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_asprintf(char **out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void __wrap_free(void *block);

static size_t slot_of(const void *block)
{
	return ((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) % BLOCKS;
}

static void *keep(void *block)
{
	size_t slot = slot_of(block);

	if (!in_child || !block)
		return block;
	FUZZ_CHECK(++block_count < BLOCKS / 2);
	while (blocks[slot])
		slot = (slot + 1) % BLOCKS;
	blocks[slot] = block;
	return block;
}

static void forget(const void *block)
{
	size_t slot = slot_of(block);

	if (!block)
		return;
	while (blocks[slot] != block)
		if (!blocks[slot])
			return;
		else
			slot = (slot + 1) % BLOCKS;
	blocks[slot] = NULL;
	block_count--;
	/* Those that had to step aside are found again. */
	while (blocks[slot = (slot + 1) % BLOCKS]) {
		void *moved = blocks[slot];

		blocks[slot] = NULL;
		block_count--;
		(void)keep(moved);
	}
}

/* The child ends. */
static void free_all(void)
{
	for (size_t slot = 0; slot < BLOCKS && block_count; slot++)
		if (blocks[slot]) {
			__real_free(blocks[slot]);
			blocks[slot] = NULL;
			block_count--;
		}
}

void *__wrap_malloc(size_t size)
{
	return keep(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return keep(__real_calloc(n, size));
}

void *__wrap_realloc(void *block, size_t size)
{
	forget(block);
	return keep(__real_realloc(block, size));
}

void *__wrap_reallocarray(void *block, size_t n, size_t size)
{
	forget(block);
	return keep(__real_reallocarray(block, n, size));
}

char *__wrap_strdup(const char *text)
{
	return keep(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t len)
{
	return keep(__real_strndup(text, len));
}

int __wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(out, fmt, ap);
	va_end(ap);
	if (len >= 0)
		(void)keep(*out);
	return len;
}

void __wrap_free(void *block)
{
	forget(block);
	__real_free(block);
}

/* libconfuse itself leaks after errors, which the end of the child covers. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfuse\n";
}

/* The files, and the child. */

static const char *const names[] = {"/f/a.conf", "/f/b.conf", "/f/c.conf"};
#define FILES (sizeof(names) / sizeof(names[0]))
static struct {
	const uint8_t *data;
	size_t size;
} files[FILES];

int relay_file_read_whole(const char *path, size_t most,
	struct relay_file *file, struct stat *seen, struct relay_err *err)
{
	(void)seen;
	*file = (struct relay_file){.text = NULL};
	for (size_t i = 0; i < FILES; i++) {
		if (strcmp(path, names[i]) != 0)
			continue;
		FUZZ_CHECK(files[i].size <= most);
		file->size = files[i].size;
		file->text = malloc(file->size + 1);
		FUZZ_CHECK(file->text);
		if (file->size)
			memcpy(file->text, files[i].data, file->size);
		file->text[file->size] = '\0';
		return 0;
	}
	return relay_fail(err, "cannot open %.160s", path);
}

static unsigned char *read_back(int fd, size_t *len)
{
	off_t end = lseek(fd, 0, SEEK_END);
	unsigned char *bytes;

	FUZZ_CHECK(end >= 0);
	*len = (size_t)end;
	bytes = malloc(*len ? *len : 1);
	FUZZ_CHECK(bytes && pread(fd, bytes, *len, 0) == end);
	return bytes;
}

/* A child writes to copies. */
static struct config_section *copy_of(
	const struct config_section *sections, size_t n)
{
	struct config_section *copy = calloc(n, sizeof(*copy));
	struct relay_err err;

	FUZZ_CHECK(copy);
	memcpy(copy, sections, n * sizeof(*copy));
	for (size_t i = 0; i < n; i++) {
		copy[i].values = calloc(1, copy[i].conf_size + 1);
		copy[i].origins =
			calloc(copy[i].count + 1, sizeof(*copy[i].origins));
		FUZZ_CHECK(copy[i].values && copy[i].origins &&
			   options_defaults(
				   copy[i].options, copy[i].values, &err) == 0);
	}
	return copy;
}

int config_child(config_child_fn *fn, const char *path,
	struct config_section *sections, size_t n, config_report_fn *report,
	void *arg)
{
	static struct config_serializer out;
	unsigned char *bytes;
	size_t len;
	int result;

	out = (struct config_serializer){
		.fd = memfd_create("child", MFD_CLOEXEC)};
	FUZZ_CHECK(out.fd >= 0);
	in_child = true;
	fn(path, copy_of(sections, n), n, &out);
	in_child = false;
	free_all();
	config_reader = NULL;
	FUZZ_CHECK(!out.failed);
	bytes = read_back(out.fd, &len);
	(void)close(out.fd);
	result = config_deserialize(bytes, len, sections, n, report, arg);
	free(bytes);
	return result;
}

int config_child_within(const struct config_child_limits *limits,
	config_child_fn *fn, const char *path, struct config_section *sections,
	size_t n, config_report_fn *report, void *arg)
{
	(void)limits;
	return config_child(fn, path, sections, n, report, arg);
}

/* What is checked. */

static unsigned errors;

static void report(enum relay_level level, const char *text, void *arg)
{
	(void)arg;
	FUZZ_CHECK(text);
	errors += level == RELAY_ERROR;
}

static struct config *load(void)
{
	struct config *config;

	errors = 0;
	config = config_load(
		names[0], NULL, sample_modules, SAMPLE_MODULES, report, NULL);
	FUZZ_CHECK((config == NULL) == (errors > 0));
	return config;
}

struct comparison {
	const struct config *before, *after;
};

/* A secret is not shown; an option that must not be empty is left out. */
static bool is_shown(const struct relay_value *value)
{
	return !(value->option->flags &
		 (RELAY_OPTION_SECRET | RELAY_OPTION_FILLED));
}

static void compare(
	const char *section, const struct relay_value *value, void *arg)
{
	const struct comparison *both = arg;
	struct relay_value other;

	FUZZ_CHECK(config_get(both->after, section, value->option->name,
			   &other) == 0);
	if (is_shown(value))
		FUZZ_CHECK(option_same(value, &other));
}

static bool has_secret(const struct config *config)
{
	const struct relay_conf *relay = config_module_values(config, "relay");

	return relay->token[0] != '\0';
}

static void show_and_read_again(const struct config *config)
{
	struct comparison both = {.before = config};
	const char *const *modules = config_core(config)->modules;
	char *text = NULL;
	struct config *again;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	FUZZ_CHECK(out && show_config(config, out) == 0 && fclose(out) == 0);
	files[0].data = (const uint8_t *)text;
	files[0].size = len;
	again = load();
	FUZZ_CHECK(again);
	both.after = again;
	config_visit_section(config, NULL, compare, &both);
	for (; *modules; modules++)
		config_visit_section(config, *modules, compare, &both);
	config_free(again);
	free(text);
}

static void try_bytes(const uint8_t *data, size_t size)
{
	unsigned char *copy = malloc(size ? size : 1);
	struct config_section section = {.required = true};
	struct relay_err err;

	FUZZ_CHECK(copy);
	if (size)
		memcpy(copy, data, size);
	section.name = "relay";
	section.options = relay_table;
	section.count = options_count(relay_table);
	section.conf_size = sizeof(struct relay_conf);
	section.values = calloc(1, section.conf_size);
	section.origins = calloc(section.count, sizeof(*section.origins));
	FUZZ_CHECK(section.values && section.origins);
	FUZZ_CHECK(options_defaults(relay_table, section.values, &err) == 0);
	errors = 0;
	/* The child's own verdict may be "bad" without a reason. */
	if (config_deserialize(copy, size, &section, 1, report, NULL) == 0)
		FUZZ_CHECK(errors == 0);
	options_clear(relay_table, section.values);
	for (size_t i = 0; i < section.count; i++)
		free(section.origins[i]);
	free(section.origins);
	free(section.values);
	free(copy);
}

static void split(const uint8_t *data, size_t size)
{
	static const char separator[] = "%%%\n";

	memset(files, 0, sizeof(files));
	for (size_t i = 0; i < FILES; i++) {
		const uint8_t *end =
			memmem(data, size, separator, sizeof(separator) - 1);
		size_t len = end && i + 1 < FILES ? (size_t)(end - data) : size;

		files[i].data = data;
		files[i].size = len;
		if (len == size)
			return;
		data += len + sizeof(separator) - 1;
		size -= len + sizeof(separator) - 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config;

	if (size > 0 && data[0] == 1) {
		try_bytes(data + 1, size - 1);
		return 0;
	}
	split(data, size);
	config = load();
	if (config && !has_secret(config))
		show_and_read_again(config);
	config_free(config);
	return 0;
}
