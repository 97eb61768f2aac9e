/* SPDX-License-Identifier: MPL-2.0 */

/* What a module has read for its options; see relay_files() in
 * strelaysrv/hooks.h.  All is [C]. */
#ifndef OPTION_FILES_H
#define OPTION_FILES_H

struct relay_module;

/* Frees what was read for a transition that is not made. */
void option_files_drop_next(struct relay_module *mod);
/* Activates it, and frees the previous one. */
void option_files_take(struct relay_module *mod);
/* The module has ended. */
void option_files_forget(struct relay_module *mod);

#endif
