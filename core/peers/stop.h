/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The graceful stop: the server accepts nothing new, and delivers the bytes
 * that it has for peers within a grace period.
 *
 * A connection without such bytes is closed at once.  A session passes on what
 * had arrived by then, closes each direction after that, and ends.  Any other
 * connection stays open until its peer has taken the last bytes.
 */
#ifndef STOP_H
#define STOP_H

#include <stdint.h>

/*
 * [C]  Returns when no worker has a connection left, or after `grace_ms`;
 * workers_stop() then ends the others.  It blocks the control loop, so signals
 * must end the process without it.  0, or -1 if a worker hangs: then nothing of
 * the workers may be freed.
 */
int stop_within(int64_t grace_ms);

#endif
