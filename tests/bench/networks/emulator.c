/* SPDX-License-Identifier: MPL-2.0 */

/*
 * link-emulator: connects pairs of tun devices by simulated links, for kernels
 * without netem.
 *
 *   link-emulator [seed=N] link=ONE,OTHER [NAME=NUMBER...] [link=...]
 *
 * A link has the properties that follow it, the same in both directions.  They
 * are those of struct wire_settings: delay_us (one way), bits_per_s,
 * queue_bytes, loss_ppm, reorder_ppm, reorder_us.  The devices are created;
 * then it prints "ready".  Each line on standard input is answered by a report
 * of what happened since the last one, a line of JSON.  The end of standard
 * input ends it.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "line.h"

#define LINKS_MOST    4
#define LINES_MOST    (2 * LINKS_MOST)
#define DEFAULT_QUEUE 1048576
#define IDLE_NS       INT64_C(1000000000)

struct emulator {
	struct line lines[LINES_MOST]; /* the two of a link follow each other */
	size_t count;
	const char *priority; /* what the kernel gave */
	int64_t since_ns;     /* of the report */
};

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "link-emulator: %s: %s\n", what, why);
	return -1;
}

static int open_tun(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return fail("/dev/net/tun", strerror(errno));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) == 0)
		return fd;
	fail(name, strerror(errno));
	close(fd);
	return -1;
}

/* text: "ONE,OTHER", which is cut in two. */
static int add_link(struct emulator *e, char *text, int64_t seed)
{
	struct wire_settings settings = {.queue_bytes = DEFAULT_QUEUE};
	char *comma = strchr(text, ',');
	struct line *lines = &e->lines[e->count];
	int one, other;

	if (!comma || e->count == LINES_MOST)
		return fail(text, "not ONE,OTHER, or too many links");
	*comma = '\0';
	one = open_tun(text);
	other = open_tun(comma + 1);
	if (one < 0 || other < 0)
		return -1;
	lines[0].name = text;
	lines[1].name = comma + 1;
	lines[0].from = lines[1].to = one;
	lines[1].from = lines[0].to = other;
	for (size_t i = 0; i < 2; i++) {
		/* Each line has a sequence of its own. */
		settings.seed = ((uint64_t)seed << 8) + e->count++;
		wire_init(&lines[i].wire, &settings);
	}
	return 0;
}

static int set(struct emulator *e, const char *name, int64_t value)
{
	static const struct {
		const char *name;
		size_t offset;
		int64_t times;
	} rows[] = {
		{"delay_us", offsetof(struct wire_settings, delay_ns), 1000},
		{"bits_per_s", offsetof(struct wire_settings, bits_per_s), 1},
		{"queue_bytes", offsetof(struct wire_settings, queue_bytes), 1},
		{"loss_ppm", offsetof(struct wire_settings, loss_ppm), 1},
		{"reorder_ppm", offsetof(struct wire_settings, reorder_ppm), 1},
		{"reorder_us", offsetof(struct wire_settings, reorder_ns),
			1000},
	};

	for (size_t i = 0; e->count && i < sizeof(rows) / sizeof(rows[0]);
		i++) {
		if (strcmp(name, rows[i].name) != 0)
			continue;
		value *= rows[i].times;
		for (size_t j = e->count - 2; j < e->count; j++)
			memcpy((char *)&e->lines[j].wire.settings +
					rows[i].offset,
				&value, sizeof(value));
		return 0;
	}
	return fail(name, "no such property, or no link before it");
}

static int read_arguments(struct emulator *e, int argc, char **argv)
{
	int64_t seed = 1, value;
	char *text, *end;

	for (int i = 1; i < argc; i++) {
		text = strchr(argv[i], '=');
		if (!text)
			return fail(argv[i], "not NAME=VALUE");
		*text++ = '\0';
		if (strcmp(argv[i], "link") == 0) {
			if (add_link(e, text, seed))
				return -1;
			continue;
		}
		value = strtoll(text, &end, 10);
		if (*end || end == text || value < 0)
			return fail(argv[i], "not a number");
		if (strcmp(argv[i], "seed") == 0)
			seed = value;
		else if (set(e, argv[i], value))
			return -1;
	}
	return e->count ? 0 : fail("link", "none is given");
}

/* A link does not wait for a CPU.  Without the right to that it is late, and
 * says so. */
static const char *raise_priority(void)
{
	const struct sched_param param = {.sched_priority = 1};

	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	if (!sched_setscheduler(0, SCHED_RR, &param))
		return "real-time";
	if (!setpriority(PRIO_PROCESS, 0, -20))
		return "high";
	return "normal";
}

static void report(struct emulator *e)
{
	const int64_t now_ns = line_now_ns();

	printf("{\"priority\": \"%s\", \"seconds\": %.3f, \"lines\": [",
		e->priority, (double)(now_ns - e->since_ns) / 1e9);
	for (size_t i = 0; i < e->count; i++) {
		if (i)
			printf(", ");
		line_report(&e->lines[i]);
	}
	printf("]}\n");
	fflush(stdout);
	e->since_ns = now_ns;
}

/* False: the end of standard input. */
static bool answer(struct emulator *e)
{
	char text[64];
	ssize_t n = read(STDIN_FILENO, text, sizeof(text));

	if (n > 0 && text[n - 1] == '\n')
		report(e);
	return n > 0;
}

static struct timespec until_next(const struct emulator *e)
{
	int64_t wait_ns = IDLE_NS;
	const int64_t now_ns = line_now_ns();

	for (size_t i = 0; i < e->count; i++) {
		int64_t next_ns = wire_next_ns(&e->lines[i].wire);

		if (next_ns < now_ns + wait_ns)
			wait_ns = next_ns - now_ns;
	}
	if (wait_ns < 0)
		wait_ns = 0;
	return (struct timespec){
		(time_t)(wait_ns / 1000000000), (long)(wait_ns % 1000000000)};
}

static void run(struct emulator *e)
{
	struct pollfd polled[LINES_MOST + 1];
	const struct timespec at_once = {0, 0};
	bool more = false;

	for (size_t i = 0; i < e->count; i++)
		polled[i] = (struct pollfd){
			.fd = e->lines[i].from, .events = POLLIN};
	polled[e->count] =
		(struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	for (;;) {
		struct timespec wait = more ? at_once : until_next(e);
		int ready = ppoll(polled, (nfds_t)e->count + 1, &wait, NULL);

		if (ready > 0 && polled[e->count].revents && !answer(e))
			return;
		more = false;
		for (size_t i = 0; i < e->count; i++) {
			line_write(&e->lines[i]);
			if (ready > 0 && polled[i].revents)
				more |= line_read(&e->lines[i]);
		}
	}
}

int main(int argc, char **argv)
{
	static struct emulator emulator; /* too large for the stack */

	if (read_arguments(&emulator, argc, argv))
		return 2;
	emulator.priority = raise_priority();
	emulator.since_ns = line_now_ns();
	puts("ready");
	fflush(stdout);
	run(&emulator);
	for (size_t i = 0; i < emulator.count; i++)
		wire_finish(&emulator.lines[i].wire);
	return 0;
}
