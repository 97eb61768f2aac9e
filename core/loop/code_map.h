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
	const void *module;         /* as given to code_map_add() */
	char name[64], version[32]; /* of a module */
};

/* [C]  Adds the shared object, or the program, that contains the address.  A
 * name of NULL: the program.  Does nothing if the map is full.  `module` is
 * kept for those who find the entry. */
void code_map_add(const void *address, const char *name, const char *version,
	const void *module);
/* [C]  Removes the object that contains the address, before it is unmapped. */
void code_map_remove(const void *address);

/* Whose code contains the address; NULL: a library's, or none.  Safe in a
 * signal handler. */
const struct code_owner *code_map_find(uintptr_t address);

/* The program counter and the stack pointer at the time of a signal, from the
 * context that its handler got; on other machines they stay as they are. */
void code_map_registers(const void *context, uintptr_t *pc, uintptr_t *sp);

/* Copies len bytes as the kernel does: where nothing is mapped, it fails and
 * nothing else happens.  Safe in a signal handler; accepts any address. */
bool code_map_read(uintptr_t from, void *to, size_t len);

/*
 * Searches a stack, from `from` upwards, for the address of a caller that
 * code_map_find() knows.  With modules_only, callers in the program do not
 * count.  A heuristic: the stack may contain old addresses.  NULL: none.  Safe
 * in a signal handler; accepts any address.
 */
const struct code_owner *code_map_caller(uintptr_t from, bool modules_only);

#endif
