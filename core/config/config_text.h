/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The text of a configuration file before libconfuse sees it.
 *
 * libconfuse stops at the first word it does not know, miscounts lines after
 * block comments, takes no comment inside a list, and forgives a section that
 * is never closed.  What is here mends that, on the text itself; all of it
 * keeps lines where they are.
 */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

/*
 * Blanks comments, and looks for bytes that are no text, quotes and braces that
 * are never closed, malformed calls of include(), environment variables that
 * are not set, and characters that libconfuse would drop silently.  0, or -1
 * with err and the line of the fault. text[len] must be 0.
 */
int config_text_prepare(
	char *text, size_t len, unsigned *line, struct relay_err *err);

/* What stands at a word that is not known. */
enum config_text_use {
	CONFIG_TEXT_OPTION,   /* WORD = ..., WORD += ... */
	CONFIG_TEXT_SECTION,  /* WORD { ... }, WORD "title" { ... } */
	CONFIG_TEXT_FUNCTION, /* WORD( ... ) */
	CONFIG_TEXT_STRAY,    /* neither: part of a value, say */
};

/*
 * Blanks the first such word of that line with all that belongs to it, so that
 * parsing can go on behind it.  False: the word is not there.  The text has
 * been prepared.
 */
bool config_text_cut(
	char *text, unsigned line, const char *word, enum config_text_use *use);

/* The line of the last `NAME = {}`; 0: there is none. */
unsigned config_text_empty_list(const char *text, const char *name);

#endif
