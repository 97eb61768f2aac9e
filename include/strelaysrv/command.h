/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Commands of `strelaysrv -ctl`, which an operator gives to a running server.
 *
 * A module registers its commands in init.  The module control reads what the
 * operator types, checks whether he may, and calls the command; the command
 * writes tables and messages.  Without control, nobody can call it.  All of
 * this is [C].  Since API 1.5.
 */
#ifndef RELAY_COMMAND_H
#define RELAY_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_ctx;
struct relay_err;

/* What the numbers of a column are; a client shows them as people read them. */
enum relay_column_kind {
	RELAY_COLUMN_TEXT,
	RELAY_COLUMN_COUNT,
	RELAY_COLUMN_BYTES,
	RELAY_COLUMN_RATE, /* bytes per second */
	RELAY_COLUMN_MS,   /* a duration in milliseconds */
};

struct relay_column {
	const char *name; /* lower case, unique in its table */
	enum relay_column_kind kind;
};

/* Exit codes of `strelaysrv -ctl`.  Others are for the command's own use. */
#define RELAY_COMMAND_FAILED 1 /* it could not do what was asked */
#define RELAY_COMMAND_USAGE  2 /* its words are wrong */

/*
 * A call of a command, and its answer.  It stays valid from the first `run`
 * until `closed` returns.  Texts are copied; bytes that are not UTF-8 are
 * replaced.
 */
struct relay_answer {
	const char *const *words; /* that follow the command's name */
	unsigned count;           /* of words */
	void *state;              /* state_size bytes, zeroed before `run` */
	int64_t wait_ms;          /* see RELAY_STEP_WAIT */
	/*
	 * Begins a table; its cells follow, row by row, and the last row must
	 * be complete.  A list is a table with one row, which is shown as one
	 * line for each column.
	 */
	void (*table)(struct relay_answer *to, const char *title,
		const struct relay_column *columns, unsigned count);
	void (*list)(struct relay_answer *to, const char *title,
		const struct relay_column *columns, unsigned count);
	/* The next cell: a text; a number; nothing, because it is unknown. */
	void (*text)(struct relay_answer *to, const char *text);
	void (*number)(struct relay_answer *to, int64_t number);
	void (*none)(struct relay_answer *to);
	/* A sentence for the operator. */
	void (*say)(struct relay_answer *to, const char *fmt, ...)
		__attribute__((format(printf, 2, 3)));
	/* The same; and the client exits with that code, 1 to 125. */
	void (*fail)(struct relay_answer *to, int code, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));
	/* Shows what was written so far, and begins the next answer. */
	void (*show)(struct relay_answer *to);
	/* Has `run` called again soon. */
	void (*wake)(struct relay_answer *to);
	/*
	 * The same as show, but on a terminal it replaces what the call has
	 * shown before; a client without a terminal takes only the first.
	 */
	void (*screen)(struct relay_answer *to);
};

/* What `run` returns. */
enum relay_step {
	RELAY_STEP_OVER, /* the answer is complete */
	/*
	 * Call it again when the client has taken most of what was written:
	 * for long tables, of which each call writes a part.  A call should
	 * write some 16 KiB and take some milliseconds; the server serves
	 * others in between.
	 */
	RELAY_STEP_AGAIN,
	/* Call it again after wake(), or after wait_ms; without wait_ms after
	 * a second. */
	RELAY_STEP_WAIT,
};

typedef enum relay_step relay_command_fn(
	struct relay_ctx *cx, struct relay_answer *to);

/*
 * The command changes something: control logs it, with who gave it.  The second
 * is for one that only shows something if no words follow its name.
 */
#define RELAY_COMMAND_CHANGES      1U
#define RELAY_COMMAND_WORDS_CHANGE 2U /* since API 1.7 */

/* Everything it points to must stay valid as long as the module. */
struct relay_command_def {
	const char *name;  /* as module names: [a-z][a-z0-9-]* */
	const char *words; /* for the help: "[by bytes|rate]"; NULL: none */
	const char *help;  /* one line */
	uint32_t flags;    /* RELAY_COMMAND_... */
	size_t state_size; /* of relay_answer.state */
	relay_command_fn *run;
	/*
	 * The call has ended; the client may have gone before the answer was
	 * complete.  NULL: nothing to do.  It is not called if the module was
	 * stopped first: after `stop` do not use the answer any more.
	 */
	void (*closed)(struct relay_ctx *cx, struct relay_answer *to);
};

/*
 * init.  Returns 0, or -1 with a logged reason: the name is not valid or is
 * taken, or there is no memory.
 */
int relay_command_add(
	struct relay_ctx *cx, const struct relay_command_def *def);
/*
 * Adds a table of commands, which ends with one without a name.  Returns 0, or
 * -1 with the reason in err, as init does.
 */
int relay_commands_add(struct relay_ctx *cx,
	const struct relay_command_def *defs, struct relay_err *err);

/*
 * The rest is for a module that calls commands, such as control.
 *
 * Calls `visit` for each command, in the order of registration.
 */
typedef void relay_command_visit_fn(
	const char *module, const struct relay_command_def *def, void *arg);
void relay_commands_visit(
	struct relay_ctx *cx, relay_command_visit_fn *visit, void *arg);
/* NULL: there is none.  Valid until this callback returns; after a reload it
 * may belong to a module that has left. */
const struct relay_command_def *relay_command_find(
	struct relay_ctx *cx, const char *name);
/* Call `run` and `closed` of the command of that name in its module's context.
 * The first returns RELAY_STEP_OVER if there is no such command. */
enum relay_step relay_command_run(
	struct relay_ctx *cx, const char *name, struct relay_answer *to);
void relay_command_closed(
	struct relay_ctx *cx, const char *name, struct relay_answer *to);

/*
 * The path of the control socket, which the server and its clients must agree
 * on: `option`; or if that is empty, control.sock in the first directory of
 * $RUNTIME_DIRECTORY, else in /run/strelaysrv.  `draining`: that of a process
 * that drains because a newer one has taken over.  Returns 0, or -1 if it has
 * no room in `out`.  [*]
 */
#define RELAY_CONTROL_PATH 108 /* as long as the path of a socket may be */
int relay_control_path(
	const char *option, bool draining, char out[RELAY_CONTROL_PATH]);

#ifdef __cplusplus
}
#endif

#endif
