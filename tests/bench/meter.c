/* SPDX-License-Identifier: MPL-2.0 */

/* Time, CPU and memory of this process, the server and the machine. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"

#define NS_PER_S INT64_C(1000000000)

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t))
		return 0;
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t meter_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Finer than /proc/PID/stat, which counts in steps of 10 ms. */
static int64_t process_cpu_ns(pid_t pid)
{
	clockid_t id;

	return clock_getcpuclockid(pid, &id) ? 0 : clock_ns(id);
}

/* The first line: cpu user nice system idle iowait irq softirq ... */
static int64_t system_cpu_ns(void)
{
	int64_t user, nice, system, idle, wait, irq, soft, busy = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (!f)
		return 0;
	if (fscanf(f,
		    "cpu %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
		    " %" SCNd64 " %" SCNd64 " %" SCNd64,
		    &user, &nice, &system, &idle, &wait, &irq, &soft) == 7)
		busy = user + nice + system + irq + soft;
	fclose(f);
	return busy * (NS_PER_S / sysconf(_SC_CLK_TCK));
}

/* The number after `field` on any line of the file. */
static int64_t number_after(const char *path, const char *field)
{
	char line[256];
	int64_t value = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	while (!value && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, field);

		if (at && sscanf(at + strlen(field), "%" SCNd64, &value) != 1)
			value = 0;
	}
	fclose(f);
	return value;
}

/* Exact, unlike VmRSS in /proc/PID/status, which lags by some pages per CPU. */
static int64_t rss_kib(int64_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/smaps_rollup", pid);
	return number_after(path, "Rss:");
}

void meter_read(struct meter *meter, int64_t server_pid)
{
	const int64_t page_kib = sysconf(_SC_PAGESIZE) / 1024;

	memset(meter, 0, sizeof(*meter));
	/* Read memory first: it is slow, and its time must not be counted. */
	if (server_pid)
		meter->server_rss_kib = rss_kib(server_pid);
	meter->kernel_tcp_kib =
		number_after("/proc/net/sockstat", " mem ") * page_kib;
	meter->system_cpu_ns = system_cpu_ns();
	if (server_pid)
		meter->server_cpu_ns = process_cpu_ns((pid_t)server_pid);
	meter->own_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	meter->time_ns = meter_now_ns();
}
