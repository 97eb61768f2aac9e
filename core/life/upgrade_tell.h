/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the old process of an upgrade tells the new one once that serves.  The
 * channel may be full, since it also carries connections (pass_on.h): what it
 * has no room for is told with a later call.  All is [C].
 */
#ifndef UPGRADE_TELL_H
#define UPGRADE_TELL_H

/* Nothing was told yet; the bytes of sessions are counted from now on. */
void upgrade_tell_begin(void);
/* This process has left its listening sockets. */
void upgrade_tell_left(void);
/* This process will end soon. */
void upgrade_tell_ending(void);
/*
 * Tells what was not told yet, and how many bytes sessions have passed on since
 * they were told, so that the new one's counters and quotas include them.
 * Nothing if there is no channel.  Call it each second.
 */
void upgrade_tell(void);

#endif
