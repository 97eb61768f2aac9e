/* SPDX-License-Identifier: MPL-2.0 */

/*
 * meter.h - reads time, CPU and memory at the start and end of a measurement.
 *
 * The server is read here rather than by the script, so that its CPU time and
 * its bytes belong to the same interval.
 */
#ifndef METER_H
#define METER_H

#include <stdint.h>

struct meter {
	int64_t time_ns; /* monotonic */
	int64_t own_cpu_ns;
	int64_t server_cpu_ns; /* 0 without a server */
	int64_t system_cpu_ns; /* all CPUs, interrupts included */
	int64_t server_rss_kib;
	int64_t kernel_tcp_kib; /* buffers of all TCP sockets */
};

int64_t meter_now_ns(void);

/* Values that cannot be read are 0. server_pid 0: no server. */
void meter_read(struct meter *meter, int64_t server_pid);

#endif
