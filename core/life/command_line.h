/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reads the command line, whose flags are partly the modules'.
 *
 * Flags are needed to find the configuration file, and the file to find the
 * modules.  So the modules that the usual file names are opened first; they
 * have the flags of most command lines.  All modules are opened for any other
 * command line, and for -help, -check and -modules.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <stdbool.h>

struct catalog;
struct flags;

/* After host_init().  0, or the exit code; messages went to stderr. */
int command_line_read(int argc, char *const argv[], struct catalog *catalog,
	struct flags *flags);

/* Whether the flag of that name is given, as far as that can be known before
 * the flags are read. */
bool command_line_has(int argc, char *const argv[], const char *name);

#endif
