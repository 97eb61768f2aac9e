/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ledger.h - who uses how much, by address or device ID.
 *
 * One for all threads, in parts with a lock each.  An account lives while
 * something is taken on it or one of its rates is not full again; the number of
 * accounts is bounded, and a newcomer who finds no room is refused.
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
#define LEDGER_MOST  262144 /* accounts */

struct account;

struct ledger {
	struct ledger_part {
		pthread_mutex_t lock;
		struct account *accounts; /* uthash, by key */
		int64_t swept_ms;
	} part[LEDGER_PARTS];
};

int ledger_init(struct ledger *ledger);
void ledger_finish(struct ledger *ledger);

/*
 * Takes one more of `count`, unless `most` are taken; 0: any number.  NULL:
 * refused.  What was taken is given back by ledger_give().
 */
struct account *ledger_take(struct ledger *ledger,
	const uint8_t key[LEDGER_KEY], unsigned count, int64_t most,
	int64_t now_ms);
/* The same on an account of which something is taken already. */
bool ledger_take_more(struct ledger *ledger, struct account *account,
	unsigned count, int64_t most);
/* The account may be gone afterwards.  Accepts NULL. */
void ledger_give(struct ledger *ledger, struct account *account, unsigned count,
	int64_t now_ms);

/* Whether one more fits a rate of so many a minute; 0: always.  A minute's
 * worth may come at once. */
bool ledger_spend(struct ledger *ledger, struct account *account, unsigned rate,
	int64_t per_minute, int64_t now_ms);

/* Whether one more would fit, which is not spent. */
bool ledger_affords(struct ledger *ledger, const struct account *account,
	unsigned rate, int64_t per_minute, int64_t now_ms);

/* How many are taken. */
int64_t ledger_taken(
	struct ledger *ledger, const uint8_t key[LEDGER_KEY], unsigned count);
unsigned ledger_accounts(struct ledger *ledger);

#endif
