/* SPDX-License-Identifier: MPL-2.0 */

/* scraper.h - a good client of the status address. */
#ifndef SCRAPER_H
#define SCRAPER_H

#include "kind.h"
#include "siege.h"

struct scraper;

/*
 * Fetches siege->path at a constant rate, each time over a new connection,
 * until *over.  Complete answers with 200 count as success.  Borrows all
 * arguments.  NULL: no memory.
 */
struct scraper *scraper_create(struct siege *siege, int64_t every_ms,
	const bool *over, struct kind *kind);

/* NULL is allowed. */
void scraper_destroy(struct scraper *scraper);

#endif
