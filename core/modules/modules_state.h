/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The state of the module host in one server: registrations and workers.  Each
 * member is used only by the file that its comment names.
 */
#ifndef MODULES_STATE_H
#define MODULES_STATE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instance.h"
#include "modules/module.h"

#define WITHDRAW_MAX 8

/* A module that keeps the server closed to new connections and joins. */
struct closer {
	const struct relay_module *owner;
	const char *word;
};

/* All but `closed` is [C]. */
struct modules_state {
	/* server_closed.c: who keeps the server closed, in order of closing. */
	struct closer closers[MODULES_MAX];
	size_t closer_count;
	const char *closed_by_server; /* NULL: the server itself does not */
	_Atomic(const char *) closed; /* the current word, for workers */

	struct layout *layouts;   /* data_layout.c: owned; newest first */
	struct sink *sinks;       /* module_log.c: oldest first */
	struct service *services; /* service.c: newest first */
	struct command *commands; /* commands.c: oldest first */

	/* module_metrics.c */
	const struct catalog *catalog; /* borrowed, as are the names */
	const char *const *names;
	struct relay_metric *up, *failures, *slow, *hangs, *timer_failures,
		*sessions, *traffic;

	/* module_threads.c: borrowed; written before threads start. */
	const struct module_threads *threads;

	/* registrations.c */
	void (*withdraw[WITHDRAW_MAX])(struct relay_module *mod);
	size_t withdraw_count;

	/* stage.c */
	uint64_t slots;       /* a bit for each slot that is in use */
	uint64_t last_serial; /* of a module's run */
};

#endif
