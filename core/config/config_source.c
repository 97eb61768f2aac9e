/* SPDX-License-Identifier: MPL-2.0 */

/* Reads configuration files. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_source.h"
#include "config/config_text.h"

/* Reads at most `cap` bytes, one more than are allowed.  Pipes and devices are
 * read as well, whose size is not known before. */
static ssize_t read_all(int fd, char *text, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, text + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int load_fd(int fd, const char *path, struct config_source *source,
	struct relay_err *err)
{
	struct stat st;
	ssize_t len;
	char *text;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return relay_fail(
			err, "%.160s is a directory, not a file", path);
	text = malloc(CONFIG_FILE_MAX + 2);
	if (!text)
		return relay_fail(err, "out of memory");
	len = read_all(fd, text, CONFIG_FILE_MAX + 1);
	if (len < 0 || (size_t)len > CONFIG_FILE_MAX) {
		free(text);
		if (len < 0)
			return relay_fail(err, "cannot read %.160s: %s", path,
				strerror(errno));
		return relay_fail(err,
			"%.160s is too large: at most %u bytes are read", path,
			CONFIG_FILE_MAX);
	}
	/* fmemopen() refuses an empty buffer. */
	if (len == 0)
		text[len++] = '\n';
	text[len] = '\0';
	source->len = (size_t)len;
	source->text = realloc(text, source->len + 1);
	if (!source->text)
		source->text = text;
	return 0;
}

static int load(
	const char *path, struct config_source *source, struct relay_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

	if (fd < 0)
		return relay_fail(
			err, "cannot open %.160s: %s", path, strerror(errno));
	rc = load_fd(fd, path, source, err);
	(void)close(fd);
	return rc;
}

static void source_clear(struct config_source *source)
{
	free(source->path);
	free(source->text);
	*source = (struct config_source){0};
}

struct config_source *config_sources_get(struct config_sources *sources,
	const char *path, unsigned *line, struct relay_err *err)
{
	struct config_source *source;

	*line = 0;
	for (size_t i = 0; i < sources->count; i++)
		if (strcmp(sources->items[i].path, path) == 0)
			return &sources->items[i];
	if (sources->count == CONFIG_SOURCES_MAX) {
		(void)relay_fail(err, "more than %u files are included",
			CONFIG_SOURCES_MAX);
		return NULL;
	}
	source = &sources->items[sources->count];
	source->path = strdup(path);
	if (!source->path) {
		(void)relay_fail(err, "out of memory");
		return NULL;
	}
	if (load(path, source, err) ||
		config_text_prepare(source->text, source->len, line, err)) {
		source_clear(source);
		return NULL;
	}
	sources->count++;
	return source;
}

char *config_source_path(const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');
	char *joined;

	if (path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - from), from, path) < 0)
		return NULL;
	return joined;
}
