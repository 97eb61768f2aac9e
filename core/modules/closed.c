/* SPDX-License-Identifier: MPL-2.0 */

/* Closed to newcomers: by which modules, and so in all. */

#include <stdatomic.h>
#include <stddef.h>

#include "modules/closed.h"
#include "modules/module.h"

/* In the order in which they closed it; [C]. */
static struct closer {
	const struct relay_module *owner;
	const char *word;
} closers[MODULES_MAX];
static size_t count;
static const char *own; /* the server's */

/* What workers look at: the first of the above that counts. */
static _Atomic(const char *) closed;

void closed_refresh(void)
{
	const char *word = own;

	for (size_t i = 0; i < count && !word; i++)
		if (module_visible(closers[i].owner))
			word = closers[i].word;
	atomic_store_explicit(&closed, word, memory_order_relaxed);
}

void closed_server(const char *word)
{
	own = word;
	closed_refresh();
}

static struct closer *find(const struct relay_module *mod)
{
	for (size_t i = 0; i < count; i++)
		if (closers[i].owner == mod)
			return &closers[i];
	return NULL;
}

static void forget(struct closer *closer)
{
	count--;
	for (; closer < &closers[count]; closer++)
		closer[0] = closer[1];
}

void relay_set_closed(struct relay_ctx *cx, const char *word)
{
	struct closer *closer = find(cx->mod);

	if (!word) {
		closed_withdraw(cx->mod);
		return;
	}
	if (!closer && count == MODULES_MAX)
		return; /* no more can run, and each is in there once */
	if (!closer)
		closer = &closers[count++];
	closer->owner = cx->mod;
	closer->word = word;
	closed_refresh();
}

void closed_withdraw(const struct relay_module *mod)
{
	struct closer *closer = find(mod);

	if (!closer)
		return;
	forget(closer);
	closed_refresh();
}

const char *relay_closed(void)
{
	return atomic_load_explicit(&closed, memory_order_relaxed);
}
