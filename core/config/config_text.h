/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Prepares the text of a configuration file for libconfuse.
 *
 * libconfuse stops at the first unknown word, miscounts lines after block
 * comments, allows no comment inside a list, and accepts a section that is
 * never closed.  These functions work around that by editing the text.  They
 * keep every line where it is.
 */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

/*
 * Replaces comments by blanks.  Finds bytes that do not belong in text, quotes
 * and braces that are not closed, malformed calls of include(), empty names,
 * environment variables that are not set, and characters that libconfuse would
 * drop silently.  0, or -1 with err and the line of the fault.  text[len] must
 * be 0.
 */
int config_text_prepare(
	char *text, size_t len, unsigned *line, struct relay_err *err);

/* How an unknown word is used. */
enum config_text_use {
	CONFIG_TEXT_OPTION,   /* WORD = ..., WORD += ... */
	CONFIG_TEXT_SECTION,  /* WORD { ... }, WORD "title" { ... } */
	CONFIG_TEXT_FUNCTION, /* WORD( ... ) */
	CONFIG_TEXT_STRAY,    /* anything else, such as a part of a value */
};

/*
 * Blanks the first occurrence of that unknown word in that line, with all that
 * belongs to it, so that parsing can continue after it.  False: the word is not
 * there.  The text must be prepared.  *column is that of the word, in bytes
 * from 1.
 */
bool config_text_cut(char *text, unsigned line, const char *word,
	enum config_text_use *use, size_t *column);

/* The line of the last `NAME = {}`; 0: there is none. */
unsigned config_text_empty_list(const char *text, const char *name);

#endif
