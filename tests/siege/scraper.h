/* SPDX-License-Identifier: MPL-2.0 */

/* scraper.h - a good client of the status address. */
#ifndef SCRAPER_H
#define SCRAPER_H

#include "kind.h"
#include "siege.h"

struct scraper;

/* Fetches siege->path every so often, each time over a connection of its own,
 * until *over.  Counted is what is answered with 200 to its end.  Borrows all.
 * NULL: no memory. */
struct scraper *scraper_create(struct siege *siege, int64_t every_ms,
	const bool *over, struct kind *kind);

/* NULL is fine. */
void scraper_destroy(struct scraper *scraper);

#endif
