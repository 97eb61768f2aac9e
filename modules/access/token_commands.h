/* SPDX-License-Identifier: MPL-2.0 */

/* token_commands.h - the commands tokens and revoke. */
#ifndef TOKEN_COMMANDS_H
#define TOKEN_COMMANDS_H

#include <strelaysrv/command.h>

extern const struct relay_command_def token_commands[];

#endif
