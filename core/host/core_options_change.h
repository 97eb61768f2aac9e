/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How a transition changes the server's own options.  Whatever can fail is
 * prepared (staged) while the old settings are in use; then the new ones take
 * effect.
 *
 * All functions are [C] except settings_take_here().
 */
#ifndef CORE_OPTIONS_CHANGE_H
#define CORE_OPTIONS_CHANGE_H

#include <stdint.h>

struct core_conf;
struct identity;
struct worker;

/* How many descriptors the workers need besides those of connections. */
int64_t settings_descriptors(const struct core_conf *conf, unsigned workers);

/* Borrows the identity in use until the process ends. */
void settings_init(struct identity *identity);
const struct identity *settings_identity(void);
/* Stages the new settings: binds addresses, allocates buffers.  0, or -1 with
 * the reason logged and nothing staged. */
int settings_stage(
	const struct core_conf *before, const struct core_conf *after);
/* The last part that can fail: new addresses begin to accept.  0, or -1 with
 * the reason logged; then the caller calls settings_abandon(). */
int settings_open(void);
void settings_abandon(void);

/* The next three are called in this order; none of them can fail. */
void settings_take(void);
/* On each worker's own thread, between two events. */
void settings_take_here(struct worker *worker);
/* When settings_take_here() has run on all workers, and the routes of new
 * modules are registered. */
void settings_settle(void);

#endif
