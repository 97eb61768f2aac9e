/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The commands that modules have registered.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <strelaysrv/command.h>

struct relay_module;

/* Withdraws the commands of the module.  [C] */
void commands_withdraw(struct relay_module *mod);

#endif
