/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server's own options, and its key files, as a step of the host changes
 * them: what can fail is done beside what serves, and then taken.
 *
 * All is [C] but settings_take_here().
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdint.h>

struct core_conf;
struct identity;
struct worker;

/* Descriptors that the workers need for themselves. */
int64_t settings_descriptors(const struct core_conf *conf, unsigned workers);

/* Borrows the identity in use, until the process ends. */
void settings_init(struct identity *identity);
/* Binds, allocates, reads.  0, or -1 logged, and then nothing is staged. */
int settings_stage(
	const struct core_conf *before, const struct core_conf *after);
/* The last that can fail: new addresses accept.  0, or -1 logged: abandon. */
int settings_open(void);
void settings_abandon(void);

/* In this order, of which none fails. */
void settings_take(void);
/* Each worker's own thread, between two events. */
void settings_take_here(struct worker *worker);
/* All workers have passed that, and routes are as they are to be. */
void settings_settle(void);

#endif
