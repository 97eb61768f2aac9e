/* SPDX-License-Identifier: MPL-2.0 */

/* testutil: tests a relay from outside, as a device does. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/file.h>

#include "lookup.h"
#include "make_token.h"
#include "base/standard_fds.h"
#include "tool.h"

#define TOKEN_LINE      1024
#define TOKEN_FILE_MOST 65536
#define LINE            1024

/* The state of the running mode; the others are NULL. */
struct mode {
	struct tool tool;
	struct serving *serving;
	struct asking *asking;
	struct checking *checking;
	struct event *signals[2];
};

void tool_end(struct tool *tool, int exit_code)
{
	if (tool->exit_code < 0)
		tool->exit_code = exit_code;
	(void)event_base_loopbreak(tool->base);
}

/* One write per line: several processes may share a terminal. */
void tool_say(const char *fmt, ...)
{
	char line[LINE] = "";
	time_t now = time(NULL);
	struct tm local;
	size_t len = 0;
	va_list ap;

	if (localtime_r(&now, &local))
		len = strftime(line, 32, "%Y/%m/%d %H:%M:%S ", &local);
	va_start(ap, fmt);
	(void)vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	len = strlen(line);
	line[len++] = '\n';
	(void)fwrite(line, 1, len, stderr);
}

const char *tool_step_word(enum relay_client_step step)
{
	static const char *const words[RELAY_CLIENT_STEPS] = {
		[RELAY_CLIENT_STEP_POOL] = "pool",
		[RELAY_CLIENT_STEP_LATENCY] = "latency",
		[RELAY_CLIENT_STEP_LOOKUP] = "lookup",
		[RELAY_CLIENT_STEP_CONNECTED] = "tcp",
		[RELAY_CLIENT_STEP_TLS] = "tls",
	};

	return words[step];
}

void tool_say_step(
	const struct tool *tool, enum relay_client_step step, const char *relay)
{
	if (tool->args->debug)
		tool_say("%s: done%s%s", tool_step_word(step),
			*relay ? " at " : "", relay);
}

static void say_id(const uint8_t id[RELAY_DEVICE_ID_LEN])
{
	char text[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(id, text);
	tool_say("ID: %s", text);
}

/*
 * Use poll(), because epoll does not support files, and stdin or stdout may be
 * files.
 */
static struct event_base *make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config &&
		event_config_require_features(config, EV_FEATURE_FDS) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static int read_token(const char *name, char *token, struct relay_err *err)
{
	struct relay_file file;
	size_t len;
	int result = 0;

	if (relay_file_read(name, TOKEN_FILE_MOST, &file, err) != 0)
		return -1;
	len = strcspn(file.text, "\r\n");
	if (len == 0)
		result = relay_fail(err,
			"the first line of the token file %s is empty", name);
	else if (len >= TOKEN_LINE)
		result = relay_fail(err,
			"the first line of the token file %s has %zu "
			"characters; at most %d are allowed",
			name, len, TOKEN_LINE - 1);
	else
		memcpy(token, file.text, len);
	relay_file_free(&file);
	return result;
}

static int set_up_client(struct tool *tool, struct relay_err *err)
{
	const struct args *args = tool->args;
	char token[TOKEN_LINE] = "";
	const struct relay_client_patience patience = {
		args->timeout_ms, args->timeout_ms, args->network_timeout_ms};

	tool->client = relay_client_create(tool->base, args->keys, err);
	if (!tool->client ||
		relay_client_set_patience(tool->client, &patience, err))
		return -1;
	if (*args->token_file && read_token(args->token_file, token, err))
		return -1;
	return relay_client_set_token(
		tool->client, *args->token_file ? token : args->token, err);
}

/*
 * A signal while waiting for sessions is a normal end; during a session it is a
 * failure.
 */
static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct mode *mode = arg;
	bool idle = mode->serving && serving_idle(mode->serving);

	(void)number;
	(void)what;
	tool_end(&mode->tool, idle ? EXIT_SUCCESS : EXIT_FAILED);
}

static int begin(struct mode *mode, struct relay_err *err)
{
	const struct args *args = mode->tool.args;
	static const int numbers[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < 2; i++) {
		mode->signals[i] = evsignal_new(
			mode->tool.base, numbers[i], on_signal, mode);
		if (!mode->signals[i] || evsignal_add(mode->signals[i], NULL))
			return relay_fail(err, "cannot wait for signals");
	}
	if (args->join)
		mode->serving = serving_start(&mode->tool, err);
	else if (args->test)
		mode->checking = checking_start(&mode->tool, err);
	else
		mode->asking = asking_start(&mode->tool, err);
	return mode->serving || mode->checking || mode->asking ? 0 : -1;
}

static void clean_up(struct mode *mode)
{
	serving_free(mode->serving);
	asking_free(mode->asking);
	checking_free(mode->checking);
	relay_client_destroy(mode->tool.client);
	for (size_t i = 0; i < 2; i++) {
		if (mode->signals[i])
			event_free(mode->signals[i]);
	}
	if (mode->tool.base)
		event_base_free(mode->tool.base);
}

static int run(const struct args *args)
{
	struct mode mode = {.tool = {.args = args, .exit_code = -1}};
	struct relay_err err = {"no memory for an event loop"};

	mode.tool.base = make_base();
	if (!mode.tool.base || set_up_client(&mode.tool, &err)) {
		tool_say("%s", err.text);
		mode.tool.exit_code = EXIT_FAILED;
	} else {
		say_id(relay_client_id(mode.tool.client));
		/* A start fails only for an invalid URI or device ID. */
		if (begin(&mode, &err)) {
			tool_say("%s", err.text);
			mode.tool.exit_code = EXIT_USAGE;
		} else if (event_base_dispatch(mode.tool.base) < 0) {
			tool_say("the event loop has failed");
		}
	}
	clean_up(&mode);
	return mode.tool.exit_code < 0 ? EXIT_FAILED : mode.tool.exit_code;
}

/* Only the ID on stdout, for scripts. */
static int make_keys(const struct args *args)
{
	char text[RELAY_DEVICE_ID_TEXT];
	struct relay_client *client;
	struct relay_err err;
	struct event_base *base = NULL;
	int result = EXIT_FAILED;

	if (mkdir(args->keys, 0700) && errno != EEXIST) {
		tool_say("cannot make the directory %s: %s", args->keys,
			strerror(errno));
		return EXIT_FAILED;
	}
	base = make_base();
	client = base && relay_client_make_keys(args->keys, &err) == 0
			 ? relay_client_create(base, args->keys, &err)
			 : NULL;
	if (client) {
		say_id(relay_client_id(client));
		relay_device_id_format(relay_client_id(client), text);
		if (puts(text) >= 0 && fflush(stdout) == 0)
			result = EXIT_SUCCESS;
	} else {
		tool_say("%s", base ? err.text : "no memory");
	}
	relay_client_destroy(client);
	if (base)
		event_base_free(base);
	return result;
}

/* A name server may be silent for longer than -timeout. */
static int leave(int code)
{
	if (lookup_threads() == 0)
		return code;
	(void)fflush(NULL);
	_exit(code);
}

int main(int argc, char *argv[])
{
	struct args args;

	if (standard_fds_open() || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
		signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return EXIT_FAILED;
	if (args_parse(argc, argv, &args, stderr)) {
		args_usage(stderr);
		return EXIT_USAGE;
	}
	if (args.help) {
		args_usage(stderr);
		return EXIT_SUCCESS;
	}
	if (args.make_token)
		return make_token(args.make_token);
	return args.gen_keys ? make_keys(&args) : leave(run(&args));
}
