/* SPDX-License-Identifier: MPL-2.0 */

/* joiner.h - a good device that repeatedly joins and disconnects. */
#ifndef JOINER_H
#define JOINER_H

#include "kind.h"
#include "siege.h"

struct joiner;

/*
 * Starts joins at a constant rate, even if earlier ones have not finished,
 * until *over.  Borrows all arguments.  NULL: no memory.
 */
struct joiner *joiner_create(struct siege *siege, int64_t every_ms,
	const bool *over, struct kind *kind);

/* NULL is allowed. */
void joiner_destroy(struct joiner *joiner);

#endif
