/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How a transition changes the server's own options.  Whatever can fail is
 * prepared (staged) while the old settings are in use; then the new ones take
 * effect.
 *
 * All functions are [C] except core_options_take_here().
 */
#ifndef CORE_OPTIONS_CHANGE_H
#define CORE_OPTIONS_CHANGE_H

#include <stdint.h>

struct core_conf;
struct identity;
struct name_lookup;
struct worker;

/* How many descriptors the workers need besides those of connections. */
int64_t core_options_descriptors(
	const struct core_conf *conf, unsigned workers);

/* Borrows the identity in use until the process ends. */
void core_options_init(struct identity *identity);
const struct identity *core_options_identity(void);
/* Starts to look up the names in addresses that will be staged; `over` as for
 * name_lookup_start().  NULL with the reason logged. */
struct name_lookup *core_options_look_up(const struct core_conf *before,
	const struct core_conf *after, void (*over)(void *arg), void *arg);
/* Stages the new settings: binds addresses, allocates buffers.  `names` is
 * over. 0, or -1 with the reason logged and nothing staged. */
int core_options_stage(const struct core_conf *before,
	const struct core_conf *after, const struct name_lookup *names);
/* The last part that can fail: new addresses begin to accept.  0, or -1 with
 * the reason logged; then the caller calls core_options_abandon(). */
int core_options_open(void);
void core_options_abandon(void);

/* The next three are called in this order; none of them can fail. */
void core_options_take(void);
/* On each worker's own thread, between two events. */
void core_options_take_here(struct worker *worker);
/* When core_options_take_here() has run on all workers, and the routes of new
 * modules are registered. */
void core_options_settle(void);

#endif
