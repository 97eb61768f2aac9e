/* SPDX-License-Identifier: MPL-2.0 */

/*
 * watch.h - files that were read although somebody may still have been writing
 * them (see shared/guard_file.h).
 */
#ifndef WATCH_H
#define WATCH_H

#include <stddef.h>

#include "shared/guard_file.h"

struct watch {
	struct watched *files; /* owned */
	size_t count;
};

/* Notes what was read, unless it is certain to be whole.  0, or -1 with err:
 * out of memory. */
int watch_note(struct watch *watch, const char *path,
	const struct guard_file *file, struct relay_err *err);
/*
 * The path of a file that has changed since, and not since the last call; NULL:
 * none.  Each change is told once.  Call it once a second: a writer may pause
 * for less.
 */
const char *watch_changed(struct watch *watch);
void watch_free(struct watch *watch);

#endif
