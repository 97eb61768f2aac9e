/* SPDX-License-Identifier: MPL-2.0 */

/* Whether the server is closed to new connections and joins, and by whom. */

#include <stdatomic.h>
#include <stddef.h>

#include "modules/server_closed.h"
#include "modules/module.h"
#include "modules/modules_state.h"

/* Publishes to workers the word of the first party that keeps the server
 * closed: the server itself, else a live module. */
void server_closed_refresh(void)
{
	struct modules_state *modules = instance->modules;
	const char *word = modules->closed_by_server;

	for (size_t i = 0; i < modules->closer_count && !word; i++)
		if (module_visible(modules->closers[i].owner))
			word = modules->closers[i].word;
	atomic_store_explicit(&modules->closed, word, memory_order_relaxed);
}

void server_closed_set(const char *word)
{
	instance->modules->closed_by_server = word;
	server_closed_refresh();
}

static struct closer *find(const struct relay_module *mod)
{
	struct modules_state *modules = instance->modules;

	for (size_t i = 0; i < modules->closer_count; i++)
		if (modules->closers[i].owner == mod)
			return &modules->closers[i];
	return NULL;
}

static void forget(struct closer *closer)
{
	struct modules_state *modules = instance->modules;

	modules->closer_count--;
	for (; closer < &modules->closers[modules->closer_count]; closer++)
		closer[0] = closer[1];
}

void relay_set_closed(struct relay_ctx *cx, const char *word)
{
	struct modules_state *modules = instance->modules;
	struct closer *closer = find(cx->mod);

	if (!word) {
		server_closed_withdraw(cx->mod);
		return;
	}
	if (!closer && modules->closer_count == MODULES_MAX)
		return; /* cannot happen: one entry per running module */
	if (!closer)
		closer = &modules->closers[modules->closer_count++];
	closer->owner = cx->mod;
	closer->word = word;
	server_closed_refresh();
}

void server_closed_withdraw(const struct relay_module *mod)
{
	struct closer *closer = find(mod);

	if (!closer)
		return;
	forget(closer);
	server_closed_refresh();
}

const char *relay_closed(void)
{
	return atomic_load_explicit(
		&instance->modules->closed, memory_order_relaxed);
}
