/* SPDX-License-Identifier: MPL-2.0 */

/* commands.h - the module's own commands. */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include <strelaysrv/module.h>

/* Each ended by one without a name. */
extern const struct relay_command_def show_commands[]; /* commands.c */
extern const struct relay_command_def act_commands[];  /* acts.c */

#endif
