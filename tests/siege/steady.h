/* SPDX-License-Identifier: MPL-2.0 */

/* steady.h - begins something at a steady pace, however slow the server is. */
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

/* Calls begin(arg) every so many ms, for the first time after one such span,
 * until *over or steady_stop().  Borrows all. */
void steady_start(struct steady *steady, struct event_base *base,
	int64_t every_ms, const bool *over, void (*begin)(void *arg),
	void *arg);
void steady_stop(struct steady *steady);

#endif
