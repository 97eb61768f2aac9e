/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The difference between two snapshots: what a reload changes, and which
 * options need a restart.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include <stdbool.h>
#include <stddef.h>

struct config;

/* What becomes of the module that a section belongs to. */
enum changes_scope {
	CHANGES_IDLE,  /* it runs neither before nor after */
	CHANGES_FRESH, /* it starts or ends, and any option with it */
	CHANGES_KEPT,  /* it runs on: some options need a restart */
};
typedef enum changes_scope changes_scope_fn(const char *section, void *arg);

struct changes {
	struct change *all; /* owned array */
	size_t count;
};

/*
 * Compares two snapshots.  An option that needs a restart gets the value of
 * `before` in `after`, so that this always tells what is in force.  0, or -1
 * without memory; in either case *out is to be freed.
 */
int changes_find(const struct config *before, struct config *after,
	changes_scope_fn *scope, void *arg, struct changes *out);
/* Logs each, old and new, and which of them need a restart. */
void changes_log(const struct changes *changes);
/* Whether any option of the section has another value now. */
bool changes_touch(const struct changes *changes, const char *section);
void changes_free(struct changes *changes);

#endif
