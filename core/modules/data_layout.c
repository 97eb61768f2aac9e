/* SPDX-License-Identifier: MPL-2.0 */

/* Layouts: where the modules' blocks are in the memory of an object. */

#include <stdalign.h>
#include <stdlib.h>

#include "modules/hooks.h"
#include "modules/modules_state.h"

/* The version of the API in which sessions began to move. */
#define MINOR_MOVES 8

struct counted {
	struct layout layout; /* first: it is what others know */
	atomic_size_t objects;
};

/* Cannot overflow: module_judge() limits the size, and at most 64 are added. */
static uint32_t place(size_t *end, size_t size)
{
	const size_t align = alignof(max_align_t);
	size_t at = (*end + align - 1) / align * align;

	*end = at + size;
	return (uint32_t)at;
}

/* For older modules a session was always on one worker.  They know sessions by
 * their hooks for these, or by those for the connections. */
static bool keeps_sessions_still(const struct relay_module_def *def)
{
	return def->abi_minor < MINOR_MOVES &&
	       (def->session_size || def->hooks.session_open ||
		       def->hooks.session_grant || def->hooks.session_sent ||
		       def->hooks.session_close || def->hooks.session_reload ||
		       def->conn_size || def->hooks.conn_accept ||
		       def->hooks.conn_open || def->hooks.conn_close);
}

const struct layout *layout_make(struct relay_module *const *mods, size_t n)
{
	struct layout **newest = &instance->modules->layouts;
	struct counted *counted = calloc(1, sizeof(*counted));
	struct layout *layout;

	if (!counted)
		return NULL;
	layout = &counted->layout;
	layout->objects = &counted->objects;
	for (size_t i = 0; i < n; i++) {
		const struct relay_module *mod = mods[i];

		layout->still |= keeps_sessions_still(&mod->def);
		layout->at[mod->slot].serial = mod->serial;
		layout->at[mod->slot].conn =
			place(&layout->conn_bytes, mod->def.conn_size);
		layout->at[mod->slot].session =
			place(&layout->session_bytes, mod->def.session_size);
	}
	layout->next = *newest;
	*newest = layout;
	return layout;
}

static bool is_used(const struct layout *layout)
{
	return atomic_load_explicit(layout->objects, memory_order_acquire) != 0;
}

void layout_free_unused(const struct layout *current)
{
	struct layout **at = &instance->modules->layouts;

	while (*at) {
		struct layout *layout = *at;

		if (layout == current || is_used(layout)) {
			at = &layout->next;
			continue;
		}
		*at = layout->next;
		free(layout);
	}
}

void layout_free_all(void)
{
	struct layout **newest = &instance->modules->layouts;

	while (*newest) {
		struct layout *next = (*newest)->next;

		free(*newest);
		*newest = next;
	}
}
