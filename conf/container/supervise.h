/* SPDX-License-Identifier: MPL-2.0 */

/* What process 1 of a container has to do beside the server. */
#ifndef SUPERVISE_H
#define SUPERVISE_H

/*
 * Starts a program, and waits for its end: reaps orphans, passes signals on,
 * and follows the server through upgrades.  The process that serves is the one
 * that the last one has named as its successor, by the protocol of
 * sd_notify(3).  Gives up all capabilities of this process; the program keeps
 * them.  Returns the exit code for the container.
 */
int supervise(char *const argv[]);

#endif
