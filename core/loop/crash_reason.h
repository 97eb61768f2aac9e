/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Why the server itself ends the process by abort(), for the crash report.
 */
#ifndef CRASH_REASON_H
#define CRASH_REASON_H

/* abort(), with the reason in the report.  `why` is a constant. */
void crash_abort(const char *why) __attribute__((noreturn));

/* What the calling thread has passed to crash_abort(); NULL: nothing.  Safe in
 * a signal handler. */
const char *crash_reason(void);

#endif
