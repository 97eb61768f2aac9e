/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The workers as the module host sees them, see modules/module_threads.h.
 */
#ifndef WORKER_THREADS_H
#define WORKER_THREADS_H

/* [C]  Tells the module host how to reach the workers, before modules start. */
void worker_threads_introduce(void);

#endif
