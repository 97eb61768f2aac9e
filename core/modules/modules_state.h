/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the module host knows of one server: its registrations and its workers.
 * Each file of this room uses its own member.
 */
#ifndef MODULES_STATE_H
#define MODULES_STATE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instance.h"
#include "modules/module.h"

#define WITHDRAW_MAX 8

/* A module that has closed the server to newcomers. */
struct closer {
	const struct relay_module *owner;
	const char *word;
};

/* All but `closed` is [C]. */
struct modules_state {
	/* closed.c: who has closed it, in the order in which they did. */
	struct closer closers[MODULES_MAX];
	size_t closer_count;
	const char *closed_by_server; /* NULL: it is open */
	_Atomic(const char *) closed; /* the word that counts, for workers */

	struct layout *layouts;   /* layout.c: owned; newest first */
	struct sink *sinks;       /* module_log.c: in the order of adding */
	struct service *services; /* service.c: newest first */

	/* module_metrics.c */
	const struct catalog *catalog; /* borrowed, as are the names */
	const char *const *names;
	struct relay_metric *up, *failures, *slow, *timer_failures;

	/* module_threads.c: borrowed; written before threads start. */
	const struct module_threads *threads;

	/* registrations.c */
	void (*withdraw[WITHDRAW_MAX])(struct relay_module *mod);
	size_t withdraw_count;

	/* stage.c */
	uint64_t slots;       /* bits of those that are taken */
	uint64_t last_serial; /* of a module's run */
};

#endif
