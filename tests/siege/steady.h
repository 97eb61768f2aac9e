/* SPDX-License-Identifier: MPL-2.0 */

/* steady.h - starts something at a constant rate, however slow the server is.
 */
#ifndef STEADY_H
#define STEADY_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event_struct.h>

struct steady {
	struct event tick;
	struct timeval every;
	const bool *over;
	void (*begin)(void *arg);
	void *arg;
};

/* Calls begin(arg) every every_ms, first after one such interval, until *over
 * or steady_stop().  Borrows all arguments. */
void steady_start(struct steady *steady, struct event_base *base,
	int64_t every_ms, const bool *over, void (*begin)(void *arg),
	void *arg);
void steady_stop(struct steady *steady);

#endif
