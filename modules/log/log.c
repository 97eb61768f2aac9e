/* SPDX-License-Identifier: MPL-2.0 */

/* log - writes log records to stderr, a file, or the system log. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#include "level.h"
#include "file_writer.h"
#include "line.h"
#include "output.h"
#include "syslog_socket.h"

/* How long a reload and the end of the server wait for a file that is written.
 */
#define SETTLE_MS 100
#define STOP_MS   1000

enum target { TARGET_STDERR, TARGET_FILE, TARGET_SYSLOG };
enum format { FORMAT_TEXT, FORMAT_JSON };

static const char *const targets[] = {"stderr", "file", "syslog", NULL};
static const char *const formats[] = {"text", "json", NULL};
/* In the order of enum relay_level. */
static const char *const levels[] = {
	"error", "warning", "notice", "info", "debug", NULL};
_Static_assert(sizeof(levels) / sizeof(levels[0]) == RELAY_DEBUG + 2,
	"every level has a word");
static const char *const facilities[] = {"daemon", "local0", "local1", "local2",
	"local3", "local4", "local5", "local6", "local7", NULL};
static const int facility_codes[] = {LOG_DAEMON, LOG_LOCAL0, LOG_LOCAL1,
	LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};

struct conf {
	int64_t target, format, level, facility;
	const char *file, *socket;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, target, int64_t, "target", RELAY_CHOICE,
		"stderr", 0, 0, "where records go", .choices = targets),
	RELAY_OPT(struct conf, file, const char *, "file", RELAY_STRING, "", 0,
		4095, "path of the file; reopened at SIGHUP",
		.flags = RELAY_OPTION_WRITTEN),
	RELAY_OPT(struct conf, format, int64_t, "format", RELAY_CHOICE, "text",
		0, 0, "lines of text, or one JSON object per line",
		.choices = formats),
	RELAY_OPT(struct conf, level, int64_t, "level", RELAY_CHOICE, "info", 0,
		0, "the lowest level that is logged", .choices = levels),
	RELAY_OPT(struct conf, facility, int64_t, "syslog-facility",
		RELAY_CHOICE, "daemon", 0, 0, "syslog facility of the records",
		.choices = facilities),
	RELAY_OPT(struct conf, socket, const char *, "syslog-socket",
		RELAY_STRING, "/dev/log", 1, 107, "socket of the system log"),
	RELAY_OPT_END,
};

/* Where records go. */
struct route {
	enum target target;
	struct output output; /* stderr or file */
	int syslog_fd;        /* -1: not connected */
	bool journal;         /* stderr is read by journald */
};

struct state {
	struct level level;        /* first: level.c finds it there */
	struct file_writer writer; /* of a route to a file */
	struct route route;
	struct route next; /* prepared by a reload */
	uint64_t syslog_lost;
};

/* Whether the system log is there; start connects to it again. */
static int try_syslog(const char *path, struct relay_err *err)
{
	int fd;

	if (syslog_connect(path, &fd, err) != 0)
		return -1;
	(void)close(fd);
	return 0;
}

/* Looks at the file on a thread of its own: when this has returned, its mount
 * answers.  It is opened later, since -check must not make it. */
static int files_read(const void *arg, void **files, struct relay_err *err)
{
	const struct conf *conf = arg;

	*files = NULL;
	if (conf->target == TARGET_SYSLOG)
		return try_syslog(conf->socket, err);
	if (conf->target != TARGET_FILE)
		return 0;
	if (!conf->file[0])
		return relay_fail(
			err, "target = file needs a path: set the option file");
	return output_check(conf->file, err);
}

static void files_free(void *files)
{
	(void)files;
}

/*
 * Compare stderr with the socket that systemd named: stderr may have been
 * redirected.
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%ju:%ju", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

static int open_route(
	const struct conf *conf, struct route *route, struct relay_err *err)
{
	*route = (struct route){
		.target = (enum target)conf->target,
		.output = {.fd = -1},
		.syslog_fd = -1,
	};
	switch (route->target) {
	case TARGET_FILE:
		return output_open(&route->output, conf->file, err);
	case TARGET_SYSLOG:
		return syslog_connect(conf->socket, &route->syslog_fd, err);
	default:
		output_stderr(&route->output);
		route->journal = stderr_is_journal();
		return 0;
	}
}

static void close_route(struct route *route)
{
	output_close(&route->output);
	if (route->syslog_fd >= 0)
		(void)close(route->syslog_fd);
	route->syslog_fd = -1;
}

static size_t format_line(const struct conf *conf, bool bare,
	const struct relay_log_record *record, char *out, size_t cap)
{
	if (conf->format == FORMAT_JSON)
		return line_json(record, out, cap);
	if (bare)
		return line_bare(record, out, cap);
	return line_text(record, out, cap);
}

static int write_output(const struct conf *conf, struct route *route,
	const struct relay_log_record *record)
{
	char line[LINE_MAX_BYTES];
	size_t head = 0, len;

	if (route->journal)
		head = (size_t)snprintf(line, sizeof(line), "<%d>",
			line_severity(record->level));
	len = format_line(conf, route->journal, record, line + head,
		sizeof(line) - head - 1); /* room for the line end */
	return output_write(&route->output, line, head + len);
}

/* Reported once, not with every record, because it goes to stderr. */
static void note_loss(struct relay_ctx *cx, bool first)
{
	const struct conf *conf = cx->conf;
	int error = errno;

	relay_log_lost(cx, 1);
	if (first)
		relay_log(cx, RELAY_ERROR,
			"cannot write to the %s: %s; records are lost until it "
			"works again",
			targets[conf->target], strerror(error));
}

static struct relay_log_record lost_record(
	uint64_t lost, char *text, size_t cap)
{
	static const struct relay_field none = {NULL, NULL};

	(void)snprintf(text, cap,
		"%" PRIu64 " records could not be written here", lost);
	return (struct relay_log_record){
		.time_us = relay_wall_us(),
		.level = RELAY_WARNING,
		.component = "log",
		.text = text,
		.fields = &none,
	};
}

static void report_lost(struct relay_ctx *cx, uint64_t lost,
	int (*write)(struct relay_ctx *cx, const struct relay_log_record *))
{
	char text[80];
	const struct relay_log_record record =
		lost_record(lost, text, sizeof(text));

	(void)write(cx, &record);
}

/* What the writer of a file asks for. */

static size_t file_report(uint64_t lost, bool json, char *out, size_t cap)
{
	char text[80];
	const struct relay_log_record record =
		lost_record(lost, text, sizeof(text));

	return json ? line_json(&record, out, cap)
		    : line_text(&record, out, cap);
}

static struct file_writer *file_writer_of(struct relay_ctx *cx)
{
	return &((struct state *)cx->data)->writer;
}

static struct output *file_output(struct relay_ctx *cx)
{
	return &((struct state *)cx->data)->route.output;
}

static const char *file_path(struct relay_ctx *cx)
{
	return ((const struct conf *)cx->conf)->file;
}

static bool file_json(struct relay_ctx *cx)
{
	return ((const struct conf *)cx->conf)->format == FORMAT_JSON;
}

static const struct file_writer_calls file_calls = {
	.report = file_report,
	.writer = file_writer_of,
	.output = file_output,
	.path = file_path,
	.json = file_json,
};

/* An error may be the last that the process says. */
static void sink_file(
	struct relay_ctx *cx, const struct relay_log_record *record)
{
	char line[LINE_MAX_BYTES];
	size_t len;

	if (file_writer_is_own(file_writer_of(cx))) {
		relay_log(cx, record->level, "%s", record->text);
		return;
	}
	len = format_line(cx->conf, false, record, line, sizeof(line));
	file_writer_add(
		cx, &file_calls, line, len, record->level == RELAY_ERROR);
}

static int to_output(
	struct relay_ctx *cx, const struct relay_log_record *record)
{
	struct state *state = cx->data;

	return write_output(cx->conf, &state->route, record);
}

static int to_syslog(
	struct relay_ctx *cx, const struct relay_log_record *record)
{
	const struct conf *conf = cx->conf;
	struct state *state = cx->data;
	char line[LINE_MAX_BYTES];
	size_t len = format_line(conf, true, record, line, sizeof(line));

	return syslog_send(conf->socket, &state->route.syslog_fd,
		facility_codes[conf->facility] | line_severity(record->level),
		line, len);
}

static void sink_output(
	struct relay_ctx *cx, const struct relay_log_record *record)
{
	struct output *out = &((struct state *)cx->data)->route.output;
	uint64_t lost = out->lost;

	if (to_output(cx, record)) {
		note_loss(cx, lost == 0);
	} else if (lost) {
		out->lost = 0;
		report_lost(cx, lost, to_output);
	}
}

static void sink_syslog(
	struct relay_ctx *cx, const struct relay_log_record *record)
{
	struct state *state = cx->data;
	uint64_t lost = state->syslog_lost;

	if (to_syslog(cx, record)) {
		state->syslog_lost++;
		note_loss(cx, lost == 0);
	} else if (lost) {
		state->syslog_lost = 0;
		report_lost(cx, lost, to_syslog);
	}
}

static void sink(struct relay_ctx *cx, const struct relay_log_record *record)
{
	const struct state *state = cx->data;

	switch (state->route.target) {
	case TARGET_SYSLOG:
		sink_syslog(cx, record);
		break;
	case TARGET_FILE:
		sink_file(cx, record);
		break;
	case TARGET_STDERR:
		sink_output(cx, record);
		break;
	}
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	const struct conf *conf = cx->conf;
	struct state *state = cx->data;

	state->route.output.fd = -1;
	state->route.syslog_fd = -1;
	state->level.now = (enum relay_level)conf->level;
	if (relay_command_add(cx, &level_command) != 0)
		return relay_fail(err, "cannot add the command log-level");
	if (relay_log_sink(cx, state->level.now, sink))
		return relay_fail(err, "no memory for a log sink");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = cx->data;

	return open_route(cx->conf, &state->route, err);
}

/* Opens it anew at every SIGHUP: logrotate has moved the file away. */
static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	struct state *state = cx->data;

	return open_route(conf, &state->next, err);
}

static void reload_commit(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	struct state *state = cx->data;

	state->level.now = (enum relay_level)conf->level;
	relay_log_sink_level(cx, state->level.now);
	(void)file_writer_settle(cx, &file_calls, SETTLE_MS);
	state->next.output.lost = state->route.output.lost;
	close_route(&state->route);
	state->route = state->next;
}

static void reload_abandon(struct relay_ctx *cx)
{
	close_route(&((struct state *)cx->data)->next);
}

/* What is logged after this is written by the thread that logs it. */
static void stop(struct relay_ctx *cx)
{
	if (!file_writer_settle(cx, &file_calls, STOP_MS))
		file_writer_tell_end(cx, &file_calls);
	file_writer_of(cx)->here = true;
}

static void fini(struct relay_ctx *cx)
{
	struct state *state = cx->data;

	file_writer_finish(cx, &file_calls);
	close_route(&state->route);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("log", "1.0",
		"writes log records to stderr, a file, or syslog"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.init = init,
	.start = start,
	.stop = stop,
	.fini = fini,
	.hooks = {.files_read = files_read,
		.files_free = files_free,
		.reload_prepare = reload_prepare,
		.reload_commit = reload_commit,
		.reload_abandon = reload_abandon},
};
