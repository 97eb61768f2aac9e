/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Names of signals.
 */
#ifndef SIGNAL_NAME_H
#define SIGNAL_NAME_H

/* "SIGTERM"; "an unknown signal" for a number without a name, as real-time
 * signals have none.  Static.  [*] */
const char *signal_name(int number);

#endif
