/* SPDX-License-Identifier: MPL-2.0 */

/* level.h - the lowest level that is logged, which a command can change. */
#ifndef LEVEL_H
#define LEVEL_H

#include <strelaysrv/module.h>

/* The first member of the module's data. */
struct level {
	enum relay_level now;
};

extern const struct relay_command_def level_command;

#endif
