/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The rights of the process at its start: the user, the capabilities and the
 * sandbox.  Both functions return 0, or -1 with a line in the log.  [C]
 */
#ifndef START_RIGHTS_H
#define START_RIGHTS_H

struct config;

/* Finds the user to change to, and does what must be done before keys are
 * read. */
int start_rights_prepare(char *const argv[], const struct config *config);

/* Gives up what the server does not need any more.  Modules start after it,
 * with the same rights as at a reload. */
int start_rights_drop(char *const argv[], const struct config *config);

#endif
