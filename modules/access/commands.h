/* SPDX-License-Identifier: MPL-2.0 */

/* commands.h - the module's commands for `strelaysrv -ctl`. */
#ifndef ACCESS_COMMANDS_H
#define ACCESS_COMMANDS_H

#include <strelaysrv/module.h>

/* Ended by one without a name. */
extern const struct relay_command_def ban_commands[];

#endif
