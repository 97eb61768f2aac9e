/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Has modules read their files, each on a thread of its own, before a
 * transition; see relay_files_read_fn in strelaysrv/hooks.h.
 *
 * What they return is kept in relay_module.files_next, until the transition
 * takes it or readings_free() frees it.  All is [C].
 */
#ifndef OPTION_FILES_READ_H
#define OPTION_FILES_READ_H

#include <stdbool.h>

#include <strelaysrv/err.h>

#include "modules/stage.h"

struct readings;

/*
 * Starts reading for all modules of the list that have files_read and no known
 * fault in their section.  `over` is called on the loop, not before this
 * returns, when all have ended; it is not called if there is nothing to read.
 * NULL without memory.
 */
struct readings *readings_start(const struct module_list *list,
	struct config *config, struct loop *loop, void (*over)(void *arg),
	void *arg);
bool readings_are_over(const struct readings *readings);
/* Gives up those that hang; may call `over`.  To be called several times a
 * second. */
void readings_look(struct readings *readings);
/* Blocks until all have ended or were given up. */
void readings_wait(struct readings *readings);
/* Why the module's files could not be read; NULL: they could. */
const struct relay_err *readings_error(
	const struct readings *readings, const struct relay_module *mod);
/* Gives up what is left, and frees what was not taken.  Accepts NULL. */
void readings_free(struct readings *readings);

#endif
