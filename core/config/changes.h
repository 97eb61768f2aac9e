/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The differences between two snapshots: what a reload changes, and which
 * changes need a restart.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include <stdbool.h>
#include <stddef.h>

struct config;

/* What a reload does to the module of a section. */
enum changes_scope {
	CHANGES_IDLE,  /* it runs neither before nor after */
	CHANGES_FRESH, /* it starts or stops, so any option may change */
	CHANGES_KEPT,  /* it keeps running: some options need a restart */
};
typedef enum changes_scope changes_scope_fn(const char *section, void *arg);

struct changes {
	struct change *all; /* owned array */
	size_t count;
};

/*
 * Compares two snapshots.  An option that needs a restart gets the value of
 * `before` in `after`, so that `after` always has the values in force.  0, or
 * -1 without memory.  In both cases the caller frees *out.
 */
int changes_find(const struct config *before, struct config *after,
	changes_scope_fn *scope, void *arg, struct changes *out);
/* Logs each change with its old and new value, and whether it needs a
 * restart. */
void changes_log(const struct changes *changes);
/* Whether any option of the section takes a new value now. */
bool changes_touch(const struct changes *changes, const char *section);
void changes_free(struct changes *changes);

#endif
