/* SPDX-License-Identifier: MPL-2.0 */

/* Capabilities of the process, see capabilities(7). */
#ifndef CAPABILITIES_H
#define CAPABILITIES_H

#include <stdint.h>

/*
 * Reads the text form of setcap(8), such as "cap_net_bind_service=+ep": clauses
 * separated by spaces, each with names and what is done to their flags e, i, p.
 * The bits of those that are permitted at the end; e alone counts as p.
 * Returns 0, or -1 if the text is wrong.
 */
int capabilities_parse(const char *text, uint64_t *out);
/* The name of a capability without "cap_"; NULL: it has none here. */
const char *capabilities_name(int number);

/* What the process may have now.  0, or -1 with errno. */
int capabilities_permitted(uint64_t *out);
/*
 * Keeps these and no others, so that programs that the process starts have
 * them, too: a file system that is read-only cannot store them in the program's
 * file.  0, or -1 with errno.
 */
int capabilities_keep(uint64_t wanted);

#endif
