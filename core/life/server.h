/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server as a whole: its start and its end.
 */
#ifndef SERVER_H
#define SERVER_H

/* Does what the command line says; returns the exit code. */
int server_run(int argc, char *const argv[]);

#endif
