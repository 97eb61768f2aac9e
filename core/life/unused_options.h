/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Finds options of service files that did not reach the command line.
 */
#ifndef UNUSED_OPTIONS_H
#define UNUSED_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

/*
 * The packages of the Go strelaysrv keep the operator's options in a variable,
 * whose name differs, and a service file passes them on.  If another service
 * file starts the server, it may not know the name; the server would then run
 * without the options, such as the one that makes it private.
 *
 * `get` is getenv().  0; or -1 if a variable has options that are not among the
 * arguments: then the reason is written to `err`, without any option.
 */
int unused_options_check(int argc, char *const argv[],
	char *(*get)(const char *name), FILE *err);

#endif
