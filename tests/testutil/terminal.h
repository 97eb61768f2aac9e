/* SPDX-License-Identifier: MPL-2.0 */

/*
 * terminal.h - a session connected to stdin and stdout.
 *
 * Every byte of stdin goes to the session and every byte of the session to
 * stdout, unchanged.  The end of stdin is passed on as a half-close; it is over
 * when both directions have ended.  At a terminal the other side's end is
 * enough: whoever sits there cannot know that an end-of-file is waited for.
 *
 * Neither descriptor is made non-blocking, since others share that flag: they
 * are read and written only when poll() says so, a terminal by a descriptor of
 * our own.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

struct terminal;

/* problem: NULL when both directions came to their end.  May free it. */
typedef void terminal_fn(const char *problem, void *arg);

/*
 * Takes fd over, also on failure.  The base must take files (EV_FEATURE_FDS).
 * After the last one there is nothing to write to stdout, so that it ends with
 * its direction.  NULL: no memory.
 */
struct terminal *terminal_start(struct event_base *base, int fd, bool last,
	terminal_fn *ended, void *arg);
uint64_t terminal_sent(const struct terminal *terminal);
uint64_t terminal_received(const struct terminal *terminal);
/* NULL is fine. */
void terminal_free(struct terminal *terminal);

#endif
