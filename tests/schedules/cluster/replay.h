/* SPDX-License-Identifier: MPL-2.0 */

/* replay.h - plays the schedule that has failed once more, with a trace. */
#ifndef CLUSTER_REPLAY_SCHEDULE_H
#define CLUSTER_REPLAY_SCHEDULE_H

_Noreturn void replay_traced(void);

#endif
