/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tells the operator which file, or which name server, the start waits for. The
 * loops are not watched yet (hang_watch.h), and the log is not open.
 */
#ifndef START_WATCH_H
#define START_WATCH_H

struct file_wait;

/*
 * [C]  Starts a thread that looks at what the control thread notes in `files`:
 * a line on stderr when it waits for the same one for 5 s, and whenever that
 * time has doubled.  If there is no thread, nothing is told.
 */
void start_watch_begin(struct file_wait *files);
/* [C]  Ends the thread, if there is one. */
void start_watch_end(void);

#endif
