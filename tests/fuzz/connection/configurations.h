/* SPDX-License-Identifier: MPL-2.0 */

/* The configurations among which an input chooses. */
#ifndef CONFIGURATIONS_H
#define CONFIGURATIONS_H

#include <stdbool.h>

struct configuration {
	const char *quota, *rest; /* the section quota; the others */
	bool shaped;              /* sessions may wait for bandwidth */
	bool ends;                /* sessions may end early, see check.c */
	unsigned per_source;      /* connections; 0: no bound that matters */
	unsigned sessions;        /* in all; 0: the same */
};

#define CONFIGURATIONS 5

extern const struct configuration configurations[CONFIGURATIONS];

#endif
