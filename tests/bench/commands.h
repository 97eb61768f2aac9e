/* SPDX-License-Identifier: MPL-2.0 */

/*
 * commands.h - the subcommands.
 *
 * Each prints one report.  They return the program's exit code: 0; 1 if there
 * were failures (see the report); 2 if there are no figures.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "bench.h"

int command_throughput(struct bench *bench);
int command_pingpong(struct bench *bench);
int command_idle(struct bench *bench);
int command_joins(struct bench *bench);
int command_setups(struct bench *bench);

#endif
