/* SPDX-License-Identifier: MPL-2.0 */

/* csv-exporter - appends every metric to a file, as lines of TIME,NAME,VALUE.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <strelaysrv/module.h>

struct conf {
	const char *file;
	int64_t interval;
};

struct data {
	bool failed; /* the last round */
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, file, const char *, "file", RELAY_STRING,
		"strelaysrv.csv", 1, 4095, "the file to append to",
		.flags = RELAY_OPTION_WRITTEN),
	RELAY_OPT(struct conf, interval, int64_t, "interval", RELAY_DURATION,
		"1m", 1000, 0, "time between two rounds"),
	RELAY_OPT_END};

/* The lines of a round, which another thread writes: the disk may be slow, or
 * not answer at all. */
struct round {
	char *path, *text; /* owned */
	size_t size;
	int result;
	struct relay_err err;
};

static void append(void *arg)
{
	struct round *round = arg;

	/* Opened in each round, so that it can be moved at any time. */
	round->result = relay_file_append_text(
		round->path, 0644, round->text, round->size, &round->err);
}

static void tell(struct relay_ctx *cx, void *arg)
{
	const struct round *round = arg;
	struct data *data = cx->data;

	data->failed = round->result != 0;
	if (data->failed)
		relay_log(cx, RELAY_WARNING, "%s", round->err.text);
}

static void round_free(void *arg)
{
	struct round *round = arg;

	free(round->path);
	free(round->text);
	free(round);
}

static const struct relay_work work = {
	.run = append, .done = tell, .free = round_free};

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

static struct round *make_round(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	struct round *round = calloc(1, sizeof(*round));
	FILE *file;
	int result;

	if (!round)
		return NULL;
	round->path = strdup(conf->file);
	file = open_memstream(&round->text, &round->size);
	if (file) {
		result = relay_metrics_visit(cx, write_line, file);
		if ((result | fclose(file)) == 0 && round->path)
			return round;
	}
	round_free(round);
	return NULL;
}

static int64_t export(struct relay_ctx *cx, void *arg)
{
	const struct conf *conf = cx->conf;
	const struct data *data = cx->data;
	struct round *round;
	struct relay_err err = {.text = "out of memory"};

	(void)arg;
	/* After an upgrade the new process owns the file. */
	if (relay_draining() == RELAY_DRAIN_MOVE)
		return conf->interval;
	round = make_round(cx);
	if (!round || relay_work_start(cx, &work, round, &err) != 0) {
		if (round)
			round_free(round);
		relay_log(cx, RELAY_WARNING, "%s: %s", conf->file, err.text);
		return -1; /* retried with increasing delay */
	}
	return data->failed ? -1 : conf->interval;
}

/* A round would warn of the same.  It is no error: the server goes on, and the
 * next round may find the file well. */
static void advise(struct relay_ctx *cx, const void *values)
{
	const struct conf *conf = values;
	struct relay_err err;
	struct stat st;

	if (relay_file_append_try(conf->file, &err) != 0)
		relay_log(cx, RELAY_WARNING, "%s", err.text);
	else if (relay_file_stat(conf->file, &st) == 0 && !S_ISREG(st.st_mode))
		relay_log(cx, RELAY_WARNING,
			"cannot write %s: it is no regular file", conf->file);
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
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.start = start,
	.hooks = {.advise = advise},
};
