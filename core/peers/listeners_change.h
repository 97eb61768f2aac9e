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

#include <stdint.h>

#include <strelaysrv/err.h>

struct name_lookup;
struct worker;

/*
 * [C]  Binds the new addresses of `texts`: NULL-terminated, "HOST:PORT",
 * ":PORT", "[v6]:PORT"; protocol: enum core_protocol; `names`: their hosts, as
 * for name_lookup_place().  From then on relay_listen_address() reports the
 * staged set.  0, or -1 with err naming the address, and then nothing is
 * staged.
 */
int listeners_stage(const char *const *texts, int64_t protocol,
	const struct name_lookup *names, struct relay_err *err);
/* [C]  The new addresses begin to accept.  0, or -1 with err: then call
 * listeners_abandon(). */
int listeners_open(struct relay_err *err);
/* Own thread: for each address that is not in the staged set, accepts the
 * connections in the queues of the worker's sockets, and closes them. */
void listeners_drain(struct worker *worker);
/* [C]  The staged set replaces the old one.  Logs the addresses that were added
 * and removed. */
void listeners_commit(void);
/* [C]  Closes the new addresses of the staged set; the old set stays. */
void listeners_abandon(void);

#endif
