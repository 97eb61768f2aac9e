/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Files that libraries read because a variable of the environment names them.
 * They do so before the log works, so a pipe that nobody writes would hold up
 * the start without a word.
 */
#ifndef ENVIRONMENT_FILES_H
#define ENVIRONMENT_FILES_H

#include <stdio.h>

/* 0, or -1 after a line to `out`: one of them is a pipe.  Before the first
 * time is shown, and before OpenSSL is used; one thread. */
int environment_files_check(FILE *out);

#endif
