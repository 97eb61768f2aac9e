/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How late the loops are: a timer on each, whose lateness is observed.
 *
 * Whatever holds up a loop, holds up all that it carries; two looks a second
 * cost nothing and find what lasts.
 */
#ifndef LAG_H
#define LAG_H

struct loop;

/* [C]  Workers exist; on them and the control loop.  0, or -1 without memory.
 */
int lag_start(struct loop *control);
/* [C]  Workers' threads have ended, their loops have not. */
void lag_finish(void);

#endif
