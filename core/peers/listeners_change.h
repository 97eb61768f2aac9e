/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Replaces the set of addresses that the server listens on.
 *
 * The new set is staged: it is bound while the old one serves.  Once opened, it
 * accepts; once committed, it replaces the old one.  An address in both sets
 * keeps its sockets with their queues.
 */
#ifndef LISTENERS_CHANGE_H
#define LISTENERS_CHANGE_H

#include <strelaysrv/err.h>

struct core_conf;
struct name_lookup;
struct worker;

/*
 * [C]  Binds the new addresses of the option listen; `names`: their hosts, as
 * for name_lookup_place().  From then on relay_listen_address() reports the
 * staged set.  0, or -1 with err naming the address, and then nothing is
 * staged.
 */
int listeners_stage(const struct core_conf *conf,
	const struct name_lookup *names, struct relay_err *err);
/* [C]  The new addresses begin to accept.  0, or -1 with err: then call
 * listeners_abandon(). */
int listeners_open(struct relay_err *err);
/* Own thread: the staged set is in force.  For each address that is not in it,
 * accepts the connections in the queues of the worker's sockets, and closes
 * them. */
void listeners_take(struct worker *worker);
/* [C]  The staged set replaces the old one.  Logs the addresses that were added
 * and removed. */
void listeners_commit(void);
/* [C]  Closes the new addresses of the staged set; the old set stays. */
void listeners_abandon(void);

#endif
