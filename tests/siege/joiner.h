/* SPDX-License-Identifier: MPL-2.0 */

/* joiner.h - a good device that joins and leaves, again and again. */
#ifndef JOINER_H
#define JOINER_H

#include "kind.h"
#include "siege.h"

struct joiner;

/* Begins a join every so often, whether or not those before it are done; none
 * once *over.  Borrows all.  NULL: no memory. */
struct joiner *joiner_create(struct siege *siege, int64_t every_ms,
	const bool *over, struct kind *kind);

/* NULL is fine. */
void joiner_destroy(struct joiner *joiner);

#endif
