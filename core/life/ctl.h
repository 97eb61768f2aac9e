/* SPDX-License-Identifier: MPL-2.0 */

/*
 * `strelaysrv -ctl COMMAND`: sends the command to the running server that has
 * the same configuration, and prints its answer.  It knows no command.
 */
#ifndef CTL_H
#define CTL_H

struct flags;

/* Reads the configuration for the path of the socket.  The exit code. */
int ctl_run(const struct flags *flags);

#endif
