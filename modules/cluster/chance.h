/* SPDX-License-Identifier: MPL-2.0 */

/* chance.h - random numbers. */
#ifndef CLUSTER_CHANCE_H
#define CLUSTER_CHANCE_H

#include <stdint.h>

/* 0 if the kernel has none yet, which is as good as any other number where it
 * is used. */
uint64_t chance_number(void);
/* An incarnation: at no time 0.  0 only without random numbers. */
uint64_t chance_incarnation(void);

#endif
