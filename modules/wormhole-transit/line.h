/* SPDX-License-Identifier: MPL-2.0 */

/*
 * line.h - the line with which a client begins:
 *   please relay TOKEN
 *   please relay TOKEN for side SIDE
 * A token has 64 characters, a side 16: letters, digits and '_'.  Case counts.
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_FIRST   'p'
#define LINE_TOKEN   64
#define LINE_SIDE    16
#define LINE_LONGEST 104 /* with its newline */

enum line_state {
	LINE_MORE, /* it may become one */
	LINE_BAD,  /* it cannot */
	LINE_WHOLE,
};

struct line {
	char token[LINE_TOKEN];
	char side[LINE_SIDE]; /* if `sided` */
	bool sided;
	size_t len; /* with its newline; what follows is no part of it */
};

/* Reads the `len` first bytes of a client.  *out is set if the line is whole.
 */
enum line_state line_read(const void *bytes, size_t len, struct line *out);

#endif
