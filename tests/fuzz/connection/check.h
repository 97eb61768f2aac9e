/* SPDX-License-Identifier: MPL-2.0 */

/* What must be true after every step, and after every input. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

/* Remembers how all is before the first input. */
void check_begin(void);
/* An input begins. */
void check_input(void);
/* After a step.  at_rest: nothing more is to be done. */
void check_step(bool at_rest);
/* After an input, when all has ended: all must be as it was. */
void check_over(void);

#endif
