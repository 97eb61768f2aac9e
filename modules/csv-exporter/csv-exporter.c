/* SPDX-License-Identifier: MPL-2.0 */

/* csv-exporter - appends every metric to a file, as lines of TIME,NAME,VALUE.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/module.h>

struct conf {
	const char *file;
	int64_t interval;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, file, const char *, "file", RELAY_STRING,
		"strelaysrv.csv", 1, 4095, "the file to append to"),
	RELAY_OPT(struct conf, interval, int64_t, "interval", RELAY_DURATION,
		"1m", 1000, 0, "time between two rounds"),
	RELAY_OPT_END};

/* For a histogram, writes the number of observations, not the sum. */
static int write_line(const struct relay_sample *sample, void *arg)
{
	char number[RELAY_NUMBER_TEXT];

	/* Any value other than 0 would stop the visit. */
	return fprintf(arg, "%" PRId64 ",%s.%s%s%s,%s\n",
		       relay_wall_us() / 1000000, sample->module,
		       sample->def->name, sample->value_name ? "." : "",
		       sample->value_name ? sample->value_name : "",
		       relay_sample_text(sample, number)) < 0;
}

/* Owns fd. */
static int write_all(struct relay_ctx *cx, int fd)
{
	FILE *file = fdopen(fd, "a");
	int result, error = errno;

	if (!file) {
		/* cppcheck-suppress doubleFree ; fdopen() has not taken it */
		(void)close(fd);
		errno = error;
		return -1;
	}
	result = relay_metrics_visit(cx, write_line, file);
	return result | fclose(file);
}

/* Opens the file in each round, so that it can be moved at any time. */
static int64_t export(struct relay_ctx *cx, void *arg)
{
	const struct conf *conf = cx->conf;
	struct relay_err err;
	int fd;

	(void)arg;
	/* After an upgrade the new process owns the file. */
	if (relay_draining() == RELAY_DRAIN_MOVE)
		return conf->interval;
	fd = relay_file_append(conf->file, 0644, false, &err);
	if (fd < 0 || write_all(cx, fd) != 0) {
		relay_log(cx, RELAY_WARNING, "%s: %s", conf->file,
			fd < 0 ? err.text : strerror(errno));
		return -1; /* retried with increasing delay */
	}
	return conf->interval;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_timer_add(cx, 1, export, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(
		"csv-exporter", "1.0", "appends metrics to a CSV file"),
	.options = options,
	.conf_size = sizeof(struct conf),
	.start = start,
};
