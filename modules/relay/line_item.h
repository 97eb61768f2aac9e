/* SPDX-License-Identifier: MPL-2.0 */

/*
 * line_item.h - one device's line, as lines.c, which keeps it, lines_room.c,
 * which bounds it, and lines_deal.c, which decides, see it.
 */
#ifndef LINE_ITEM_H
#define LINE_ITEM_H

#include "lines.h"
#include "pending_item.h"

/* What a device took last, and may be busy with. */
struct busy {
	struct place half; /* conn 0: with nothing */
	int64_t since_ms;
	uint64_t turn;
	uint8_t asker[ID_LEN];
	uint8_t source[ID_LEN];
};

/* Is here while invitations are in it, or its device may be busy. */
struct line {
	UT_hash_handle hh;
	struct line *open_next, *open_prev; /* NULL: is not open */
	struct line *busy_next, *busy_prev;
	struct pending *first, *last;
	unsigned count, waiting, sent;
	/* One was sent that the device has not taken, and may have left the
	 * line since. */
	bool out;
	int64_t out_ms; /* since when */
	/* It took one at once while it was busy with the one before, and has
	 * let none wait since. */
	bool parallel;
	struct busy busy;
	uint8_t id[ID_LEN];
};

/* NULL: nobody is in it, and its device is not busy. */
struct line *line_find(const struct lines *lines, const uint8_t *id);
/* It waits for time, or no more. */
void line_open(struct lines *lines, struct line *line);
void line_close(struct lines *lines, struct line *line);
/* The device is not busy any more. */
void line_free_device(struct lines *lines, struct line *line);
/* Frees it if it is of no more use. */
void line_tidy(struct lines *lines, struct line *line);
/*
 * Where it comes from, as far as it is remembered: the ID, which is free, only
 * where all come from one address.
 */
const uint8_t *line_origin(const struct pending *pending);
/* The asker's side: 0: has come and said something, 1: has come, 2: has not. */
int line_behind(const struct pending *pending);
/* Of one in a line, as of now. */
enum standing_rank line_rank(const struct lines *lines,
	const struct pending *pending, int64_t now_ms);

#endif
