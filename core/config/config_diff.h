/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The differences between two snapshots: what a reload changes, and which
 * changes need a restart.
 */
#ifndef CONFIG_DIFF_H
#define CONFIG_DIFF_H

#include <stdbool.h>
#include <stddef.h>

struct config;

/* What a reload does to the module of a section. */
enum config_diff_scope {
	CONFIG_DIFF_IDLE,  /* it runs neither before nor after */
	CONFIG_DIFF_FRESH, /* it starts or stops, so any option may change */
	CONFIG_DIFF_KEPT,  /* it keeps running: some options need a restart */
};
typedef enum config_diff_scope config_diff_scope_fn(
	const char *section, void *arg);

struct config_diff {
	struct change *all; /* owned array */
	size_t count;
};

/*
 * Compares two snapshots.  An option that needs a restart gets the value of
 * `before` in `after`, so that `after` always has the values in force.  0, or
 * -1 without memory.  In both cases the caller frees *out.
 */
int config_diff_find(const struct config *before, struct config *after,
	config_diff_scope_fn *scope, void *arg, struct config_diff *out);
/* Logs each change with its old and new value, and whether it needs a restart;
 * and which listeners come and go.  While both snapshots exist. */
void config_diff_log(const struct config_diff *changes);
/* Whether any option of the section takes a new value now. */
bool config_diff_touch(const struct config_diff *changes, const char *section);
void config_diff_free(struct config_diff *changes);

#endif
