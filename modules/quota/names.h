/* SPDX-License-Identifier: MPL-2.0 */

/*
 * names.h - what each name has used in the month: named tokens, for the module
 * access, and devices, for admission.  Pure but for allocation.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "shared/token_name.h"

/* Tokens, with those that have left their file, and devices.  If there are
 * more, those that have used least give way. */
#define NAMES_MOST 10000

struct name_usage {
	char name[TOKEN_NAME_TEXT];
	int64_t relayed; /* bytes, each counted once */
};

/* Sorted by name. */
struct names {
	struct name_usage *list; /* owned */
	size_t count, room;
	int64_t begin_s; /* of the month; 0: unknown */
	/* The most bytes of a name that gave way this month, and how many that
	 * had used any have given way since the start. */
	int64_t forgotten, replaced;
};

/*
 * Adds bytes to a name, and returns what it has used; -1: there is no memory,
 * or it is no name.  A name that may have given way counts from `forgotten` on,
 * so that nobody gets rid of what he has used.  Bytes of 0 take no name's
 * place.
 */
int64_t names_add(struct names *names, const char *name, int64_t bytes);
/* The month that began then; a later one begins at 0. */
void names_turn(struct names *names, int64_t begin_s);
/* 0, or -1 without memory and *out empty. */
int names_copy(struct names *out, const struct names *from);
void names_free(struct names *names);

#endif
