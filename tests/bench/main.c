/* SPDX-License-Identifier: MPL-2.0 */

/* relay-load: generates load for relays and measures the results. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "pattern.h"
#include "report.h"

/* Ends the process after --limit, if threads hang. */
#define LAST_RESORT_S 30

static const struct {
	const char *name;
	enum command command;
	int (*run)(struct bench *bench);
	const char *help;
} commands[] = {
	{"throughput", COMMAND_THROUGHPUT, command_throughput,
		"bytes per second through N sessions"},
	{"pingpong", COMMAND_PINGPONG, command_pingpong,
		"round trips of small messages"},
	{"idle", COMMAND_IDLE, command_idle,
		"devices that join and stay until stdin ends"},
	{"joins", COMMAND_JOINS, command_joins,
		"all devices come back at once"},
	{"setups", COMMAND_SETUPS, command_setups,
		"sessions from the asking to the first byte"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(void)
{
	fprintf(stderr, "usage: relay-load COMMAND --relay HOST:PORT ...\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stderr, "  %-12s %s\n", commands[i].name,
			commands[i].help);
	fprintf(stderr, "options, as far as a command has use for them:\n");
	settings_usage();
	return 2;
}

static int run(size_t which, int argc, char **argv)
{
	struct settings settings;
	struct bench bench;
	int result = 2;

	if (settings_read(&settings, commands[which].command, argc, argv))
		return 2;
	alarm((unsigned)(settings.limit_ms / 1000) + LAST_RESORT_S);
	if (!bench_init(&bench, &settings))
		result = commands[which].run(&bench);
	if (result == 2) { /* no figures: print a message at least */
		report_begin(commands[which].name);
		report_end(&bench.tally);
	}
	bench_finish(&bench);
	return result;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	pattern_init();
	for (size_t i = 0; argc > 1 && i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return run(i, argc - 2, argv + 2);
	}
	return usage();
}
