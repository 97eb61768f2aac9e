/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ledger.h - counts and rates by address or device ID.
 *
 * Shared by all threads, in parts with a lock each.  An account exists while
 * one of its counts is not 0 or one of its rates is not full.  Accounts with
 * counts are no more than the connections and sessions that they count, which
 * have limits elsewhere.  The number of accounts that only have rates is
 * limited here: the least recently used one is evicted, so that a full table
 * refuses nobody.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define LEDGER_KEY    32
#define LEDGER_COUNTS 2
#define LEDGER_RATES  3

#define LEDGER_PARTS 16
/* The most accounts that only have rates. */
#define LEDGER_IDLE_MOST 262144

struct account;

struct ledger {
	struct ledger_part {
		pthread_mutex_t lock;
		struct account *accounts; /* uthash, by key */
		struct account *idle;     /* utlist, idle longest first */
		unsigned idle_count;
		uint64_t forgotten;
		int64_t swept_ms;
	} part[LEDGER_PARTS];
};

int ledger_init(struct ledger *ledger);
void ledger_finish(struct ledger *ledger);

/*
 * Increments `count`, unless it is at `most`; 0: no limit.  NULL: refused, or
 * out of memory.
 * Undo it with ledger_give().
 */
struct account *ledger_take(struct ledger *ledger,
	const uint8_t key[LEDGER_KEY], unsigned count, int64_t most,
	int64_t now_ms);
/* The same for an account that the caller already holds a count of. */
bool ledger_take_more(struct ledger *ledger, struct account *account,
	unsigned count, int64_t most);
/* The account may be freed by this.  NULL is allowed. */
void ledger_give(struct ledger *ledger, struct account *account, unsigned count,
	int64_t now_ms);

/*
 * Takes one unit of a rate per minute; false if none is left.  0: no limit.
 * All units of a minute may be taken at once.
 */
bool ledger_spend(struct ledger *ledger, struct account *account, unsigned rate,
	int64_t per_minute, int64_t now_ms);

/* Whether a unit is left; takes none. */
bool ledger_affords(struct ledger *ledger, const struct account *account,
	unsigned rate, int64_t per_minute, int64_t now_ms);

/* The current count. */
int64_t ledger_taken(
	struct ledger *ledger, const uint8_t key[LEDGER_KEY], unsigned count);
unsigned ledger_accounts(struct ledger *ledger);
/* How many accounts were evicted before their rates were full again. */
uint64_t ledger_forgotten(struct ledger *ledger);

#endif
