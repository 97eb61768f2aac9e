/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a module has registered is withdrawn when it ends: the list of the
 * functions that do so.
 */
#ifndef REGISTRATIONS_H
#define REGISTRATIONS_H

struct relay_module;

/* Withdraws all that the module registered with one part of the server, if it
 * did.  [C] */
typedef void registrations_fn(struct relay_module *mod);

/* [C]  A part above the module host asks to be called, before those added
 * earlier.  At the start; more than WITHDRAW_MAX (modules_state.h) are a bug.
 */
void registrations_add(registrations_fn *fn);
/* [C]  Calls all. */
void registrations_withdraw(struct relay_module *mod);

#endif
