/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reads the command line, whose flags are partly the modules'.
 *
 * The modules must be opened before it is known which of them run.  Those that
 * the configuration file names know the flags of most command lines.  All are
 * opened only for the others, and for -help, -check and -modules.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

struct catalog;
struct flags;

/* After host_init().  0, or the exit code; messages went to stderr. */
int command_line_read(int argc, char *const argv[], struct catalog *catalog,
	struct flags *flags);

#endif
