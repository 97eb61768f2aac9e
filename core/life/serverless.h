/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the program does without becoming a server: -help, -version, and the
 * clients of a running server, -ctl and -health.
 */
#ifndef SERVERLESS_H
#define SERVERLESS_H

#include <stdbool.h>

struct flags;

/* Whether -ctl or -health is given, as far as that can be known before the
 * flags are read. */
bool serverless_expected(int argc, char *const argv[]);

/* The exit code, or -1: the action is another one.  [C] */
int serverless_act(const struct flags *flags);

#endif
