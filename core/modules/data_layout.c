/* SPDX-License-Identifier: MPL-2.0 */

/* Layouts: where the modules' blocks are in the memory of an object. */

#include <stdalign.h>
#include <stdlib.h>

#include "modules/hooks.h"
#include "modules/modules_state.h"

/* Cannot overflow: module_judge() limits the size, and at most 64 are added. */
static uint32_t place(size_t *end, size_t size)
{
	const size_t align = alignof(max_align_t);
	size_t at = (*end + align - 1) / align * align;

	*end = at + size;
	return (uint32_t)at;
}

const struct layout *layout_make(struct relay_module *const *mods, size_t n)
{
	struct layout **newest = &instance->modules->layouts;
	struct layout *layout = calloc(1, sizeof(*layout));

	if (!layout)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct relay_module *mod = mods[i];

		layout->at[mod->slot].serial = mod->serial;
		layout->at[mod->slot].conn =
			place(&layout->conn_bytes, mod->def.conn_size);
		layout->at[mod->slot].session =
			place(&layout->session_bytes, mod->def.session_size);
	}
	layout->generation = *newest ? (*newest)->generation + 1 : 1;
	layout->next = *newest;
	*newest = layout;
	return layout;
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
