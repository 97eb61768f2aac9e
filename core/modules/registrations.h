/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The list of functions that withdraw a module's registrations when it ends.
 */
#ifndef REGISTRATIONS_H
#define REGISTRATIONS_H

struct relay_module;

/* Withdraws everything that the module registered with one part of the server,
 * if anything.  [C] */
typedef void registrations_fn(struct relay_module *mod);

/* [C]  Adds the function of a part above the module host, which is called
 * before those added earlier.  Only while the server starts; more than
 * WITHDRAW_MAX (modules_state.h) are a bug. */
void registrations_add(registrations_fn *fn);
/* [C]  Calls all functions of the list for the module. */
void registrations_withdraw(struct relay_module *mod);

#endif
