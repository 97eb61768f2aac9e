/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The steps of an upgrade in the old process, until the new one runs.  Each may
 * have to wait: for a worker, for the keys, for files of modules, for the
 * program.  So they wait beside the control thread, and have time limits.  All
 * is [C].
 */
#ifndef UPGRADE_PREPARE_H
#define UPGRADE_PREPARE_H

#include <stdbool.h>

/* Why no upgrade can begin now; NULL: it can. */
const char *upgrade_objection(void);
/*
 * Takes the steps.  `over(true)`: struct upgrade_state has the new process's
 * pid, and this process's end of the channel.  `over(false)`: the reason is
 * logged.  It may be called before this returns.
 */
void upgrade_prepare(void (*over)(bool started));
/* Gives them up: `over` is not called any more. */
void upgrade_prepare_stop(void);

#endif
