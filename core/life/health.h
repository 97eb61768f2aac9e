/* SPDX-License-Identifier: MPL-2.0 */

/* -health: asks a running server whether it is well, for supervisors that run
 * a command, such as Docker. */
#ifndef HEALTH_H
#define HEALTH_H

struct flags;

/*
 * Asks /healthz at the address that the flags and the file configure: the
 * status address, else the private one.  Without either, tries to connect to
 * the first listen address.  Prints one line.  Returns the exit code, within
 * five seconds: 0 the server is well, 1 it is not, or does not answer.  Ends
 * the process itself if something takes longer.
 */
int health_run(const struct flags *flags);

#endif
