/* SPDX-License-Identifier: MPL-2.0 */

/* good.h - good clients during an attack. */
#ifndef GOOD_H
#define GOOD_H

#include "siege.h"

/*
 * Good clients join, meet, transfer, scrape and keep one session, at a constant
 * rate.  Prints "ready ID" when that session exists, with the ID of the
 * requested device.  Measures for siege->seconds_ms, starting when a line
 * arrives on stdin; then waits for running clients and prints the report.
 * Returns the program's exit code: 0 even if there were failures.
 */
int good_run(struct siege *siege);

#endif
