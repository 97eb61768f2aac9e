/* SPDX-License-Identifier: MPL-2.0 */

/* idle: devices and silent connections that stay until stdin ends. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "dial.h"
#include "joins.h"
#include "report.h"

/* Connections that never send a byte; -1: none. */
struct silent {
	int *fds;
	size_t count;
};

static int connect_silent(struct bench *bench, struct silent *silent)
{
	size_t count = (size_t)bench->settings->silent;

	silent->fds = calloc(count + 1, sizeof(*silent->fds));
	if (!silent->fds)
		return -1;
	for (; silent->count < count; silent->count++) {
		int fd = dial(bench);

		if (fd < 0)
			tally_add(&bench->tally, failure_of_errno(errno));
		silent->fds[silent->count] = fd;
	}
	return 0;
}

static void close_silent(struct silent *silent)
{
	for (size_t i = 0; i < silent->count; i++) {
		if (silent->fds[i] >= 0)
			close(silent->fds[i]);
	}
	free(silent->fds);
}

static void stdin_ready(evutil_socket_t fd, short what, void *arg)
{
	char buffer[256];

	(void)what;
	if (read(fd, buffer, sizeof(buffer)) <= 0)
		bench_stop(arg);
}

/* stdin must be a pipe or a terminal, because epoll does not support files. */
static void hold(struct bench *bench)
{
	struct event *event = event_new(bench->base, STDIN_FILENO,
		EV_READ | EV_PERSIST, stdin_ready, bench);

	if (!event || event_add(event, NULL))
		fprintf(stderr,
			"relay-load: cannot wait for the end of stdin\n");
	else
		bench_run(bench);
	if (event)
		event_free(event);
}

static int report(const struct bench *bench, const struct devices *devices,
	const struct meter *begin, const struct meter *end)
{
	report_begin("idle");
	report_count("devices", (uint64_t)bench->settings->devices);
	report_count("silent", (uint64_t)bench->settings->silent);
	report_count("joined", devices_joined(devices));
	report_count("lost", devices_lost(devices));
	report_count("pings", devices_pings(devices));
	report_meters(begin, end);
	report_end(&bench->tally);
	return tally_total(&bench->tally) ? 1 : 0;
}

static int run(
	struct bench *bench, struct devices *devices, struct silent *silent)
{
	const struct settings *s = bench->settings;
	struct meter begin, end;

	if (connect_silent(bench, silent))
		return 2;
	joins_run(bench, devices); /* its report means that all are ready */
	meter_read(&begin, s->server_pid);
	hold(bench);
	meter_read(&end, s->server_pid);
	return report(bench, devices, &begin, &end);
}

int command_idle(struct bench *bench)
{
	struct devices *devices =
		devices_create(bench, (size_t)bench->settings->devices);
	struct silent silent = {NULL, 0};
	int result = 2;

	if (devices)
		result = run(bench, devices, &silent);
	close_silent(&silent);
	devices_destroy(devices);
	return result;
}
