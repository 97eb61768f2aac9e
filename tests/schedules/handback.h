/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The channel between the two processes of an upgrade, which are two servers
 * here: the new one hands a connection back whose session key it has not
 * issued, and the old one takes it when its turn comes.
 */
#ifndef HANDBACK_H
#define HANDBACK_H

#include <stdbool.h>

/* relay_choose() of the servers. */
enum { OLD, NEW, SERVERS };

/* The new server hands back from now on, or no more. */
void handback_open(bool open);
/* The old server takes the next one.  Whether there was any. */
bool handback_turn(void);
/* At rest: the new server has closed what it has handed back. */
void handback_check_rest(void);
/* When all have left: the old server has taken each, too. */
void handback_check_end(void);

#endif
