/* SPDX-License-Identifier: MPL-2.0 */

/*
 * tool.h - what the modes of testutil share: the loop, the client, the words.
 *
 * Lines for people go to stderr; stdout is for the session's bytes, the report
 * of -test, and the ID of -gen-keys.
 */
#ifndef TOOL_H
#define TOOL_H

#include <event2/event.h>

#include <strelaysrv/client.h>

#include "args.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

struct tool {
	struct event_base *base;     /* owned */
	struct relay_client *client; /* owned */
	const struct args *args;
	int exit_code;
};

/* Leaves the loop; the first call decides about the exit code. */
void tool_end(struct tool *tool, int exit_code);

/* A line with the time in front. */
void tool_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says what has been got through, under -debug. */
void tool_say_step(const struct tool *tool, enum relay_client_step step,
	const char *relay);

/* A word for a step, as reports have it. */
const char *tool_step_word(enum relay_client_step step);

/*
 * The modes.  Each begins what is to happen in the loop, and returns its state,
 * or NULL with err; each has its own end.
 */
struct serving;
struct serving *serving_start(struct tool *tool, struct relay_err *err);
/* Whether ending now loses nothing. */
bool serving_idle(const struct serving *serving);
void serving_free(struct serving *serving);

struct asking;
struct asking *asking_start(struct tool *tool, struct relay_err *err);
void asking_free(struct asking *asking);

struct checking;
struct checking *checking_start(struct tool *tool, struct relay_err *err);
void checking_free(struct checking *checking);

#endif
