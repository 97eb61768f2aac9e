/* SPDX-License-Identifier: MPL-2.0 */

/*
 * terminal.h - connects a session to stdin and stdout.
 *
 * Every byte of stdin goes to the session and every byte of the session to
 * stdout, unchanged.  The end of stdin is forwarded as a half-close; the
 * session is over when both directions have ended.  On a terminal the other
 * side's end is enough, because the user cannot know that end-of-file is
 * expected.
 *
 * Neither descriptor is made non-blocking, because other processes share that
 * flag.  They are read and written only when poll() allows it; a terminal is
 * opened again under a separate descriptor.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

struct terminal;

/* problem is NULL if both directions ended normally.  May free it. */
typedef void terminal_fn(const char *problem, void *arg);

/*
 * Owns fd from now on, also on failure.  The base must support files
 * (EV_FEATURE_FDS).  If `last`, stdout is closed when that direction ends.
 * NULL: no memory.
 */
struct terminal *terminal_start(struct event_base *base, int fd, bool last,
	terminal_fn *ended, void *arg);
uint64_t terminal_sent(const struct terminal *terminal);
uint64_t terminal_received(const struct terminal *terminal);
/* NULL is allowed. */
void terminal_free(struct terminal *terminal);

#endif
