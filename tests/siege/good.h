/* SPDX-License-Identifier: MPL-2.0 */

/* good.h - good clients beside an attack. */
#ifndef GOOD_H
#define GOOD_H

#include "siege.h"

/*
 * Good clients join, meet, transfer, scrape and keep one session, at a steady
 * pace.  Prints "ready ID" once that session is there, with the ID of the
 * device that others ask for; measures from when a line comes on stdin, for
 * siege->seconds_ms; waits for what is then under way; prints the report.
 * Returns the program's exit code: 0 also when there were failures.
 */
int good_run(struct siege *siege);

#endif
