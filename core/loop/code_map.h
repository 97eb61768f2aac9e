/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whose code is at an address: the program's, a module's, or a library's.
 *
 * The map belongs to the process, not to a server: a signal handler has no
 * argument for context.
 */
#ifndef CODE_MAP_H
#define CODE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_owner {
	uintptr_t start,
		end; /* of its executable code; end is not part of it */
	bool is_program;
	char name[64], version[32]; /* of a module */
};

/* [C]  Adds the shared object, or the program, that contains the address.  A
 * name of NULL: the program.  Does nothing if the map is full. */
void code_map_add(const void *address, const char *name, const char *version);
/* [C]  Removes the object that contains the address, before it is unmapped. */
void code_map_remove(const void *address);

/* Whose code contains the address; NULL: a library's, or none.  Safe in a
 * signal handler. */
const struct code_owner *code_map_find(uintptr_t address);

/*
 * Searches a stack, from `from` upwards, for the address of a caller that
 * code_map_find() knows.  With modules_only, callers in the program do not
 * count.  A heuristic: the stack may contain old addresses.  NULL: none.  Safe
 * in a signal handler; accepts any address.
 */
const struct code_owner *code_map_caller(uintptr_t from, bool modules_only);

#endif
