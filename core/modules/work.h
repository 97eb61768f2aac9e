/* SPDX-License-Identifier: MPL-2.0 */

/* A module's work on a thread of its own; see relay_work in
 * strelaysrv/thread.h. */
#ifndef WORK_H
#define WORK_H

struct relay_module;

/* [C]  The module ends: abandons its work. */
void work_withdraw(struct relay_module *mod);

#endif
