/* SPDX-License-Identifier: MPL-2.0 */

/* told_seed.h - whatever ends the program is told with the seed of the
 * schedule.
 */
#ifndef TOLD_SEED_H
#define TOLD_SEED_H

#include <stdint.h>

/* `seed` is that of the present schedule, and kept.  Handles SIGALRM, too. */
void told_seed(const uint64_t *seed);

#endif
