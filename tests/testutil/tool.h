/* SPDX-License-Identifier: MPL-2.0 */

/*
 * tool.h - shared by the modes of testutil: the loop, the client, messages.
 *
 * Messages go to stderr; stdout is for the session's bytes, the report of
 * -test, and the ID of -gen-keys.
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

/* Ends the loop; the first call sets the exit code. */
void tool_end(struct tool *tool, int exit_code);

/* Prints a line that starts with the time. */
void tool_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a completed step, with -debug. */
void tool_say_step(const struct tool *tool, enum relay_client_step step,
	const char *relay);

/* The name of a step in reports. */
const char *tool_step_word(enum relay_client_step step);

/*
 * The modes.  Each starts its work in the loop and returns its state, or NULL
 * with err; each has its own function to free it.
 */
struct serving;
struct serving *serving_start(struct tool *tool, struct relay_err *err);
/* Whether exiting now loses no data. */
bool serving_idle(const struct serving *serving);
void serving_free(struct serving *serving);

struct asking;
struct asking *asking_start(struct tool *tool, struct relay_err *err);
void asking_free(struct asking *asking);

struct checking;
struct checking *checking_start(struct tool *tool, struct relay_err *err);
void checking_free(struct checking *checking);

#endif
