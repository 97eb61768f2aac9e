/* SPDX-License-Identifier: MPL-2.0 */

/* commands.h - the module's commands for `strelaysrv -ctl`. */
#ifndef RELAY_COMMANDS_H
#define RELAY_COMMANDS_H

#include "relay/commands/listing.h"

/* Each ended by one without a name. */
extern const struct relay_command_def list_commands[]; /* commands.c */
extern const struct relay_command_def kick_commands[]; /* kick.c */

#endif
