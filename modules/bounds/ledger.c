/* SPDX-License-Identifier: MPL-2.0 */

/* Counts and rates by address or device ID. */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "ledger.h"
#include "shared/id_hash.h"
#include "shared/pace.h"

_Static_assert(LEDGER_KEY == ID_LEN, "the hash is of that many bytes");

#define PART_SHIFT 28
_Static_assert(LEDGER_PARTS == 1 << (32 - PART_SHIFT),
	"a part for each value of these bits");

#define SWEEP_MS   10000
#define SWEEP_MOST 4096 /* accounts at a time, because the lock is held */

struct account {
	UT_hash_handle hh;
	/* In the part's list of idle accounts; else prev is NULL. */
	struct account *prev, *next;
	uint8_t key[LEDGER_KEY];
	uint32_t taken[LEDGER_COUNTS];
	/* When each rate will be full again. */
	int64_t clear_ms[LEDGER_RATES];
};

static struct ledger_part *part_of(struct ledger *ledger, const uint8_t *key)
{
	/* The highest bits: uthash chooses the chain by the lowest. */
	return &ledger->part[id_hash(key) >> PART_SHIFT];
}

static void lock(struct ledger_part *part)
{
	pthread_mutex_lock(&part->lock);
}

static void unlock(struct ledger_part *part)
{
	pthread_mutex_unlock(&part->lock);
}

int ledger_init(struct ledger *ledger)
{
	memset(ledger, 0, sizeof(*ledger));
	if (id_hash_init() != 0)
		return -1;
	for (int i = 0; i < LEDGER_PARTS; i++)
		if (pthread_mutex_init(&ledger->part[i].lock, NULL) != 0) {
			while (i-- > 0)
				pthread_mutex_destroy(&ledger->part[i].lock);
			return -1;
		}
	return 0;
}

void ledger_finish(struct ledger *ledger)
{
	for (int i = 0; i < LEDGER_PARTS; i++) {
		struct ledger_part *part = &ledger->part[i];
		struct account *account, *next;

		HASH_ITER(hh, part->accounts, account, next)
		{
			HASH_DEL(part->accounts, account);
			free(account);
		}
		pthread_mutex_destroy(&part->lock);
	}
}

static bool counts(const struct account *account)
{
	for (int i = 0; i < LEDGER_COUNTS; i++)
		if (account->taken[i])
			return true;
	return false;
}

static bool remembers(const struct account *account, int64_t now_ms)
{
	for (int i = 0; i < LEDGER_RATES; i++)
		if (account->clear_ms[i] > now_ms)
			return true;
	return false;
}

static void leave_idle(struct ledger_part *part, struct account *account)
{
	DL_DELETE(part->idle, account);
	account->prev = NULL;
	part->idle_count--;
}

static void drop(struct ledger_part *part, struct account *account)
{
	HASH_DEL(part->accounts, account);
	free(account);
}

static void drop_idle(struct ledger_part *part, struct account *account)
{
	leave_idle(part, account);
	drop(part, account);
}

/*
 * The account has no counts left.  If there are too many of this kind, the
 * least recently used one is evicted: its rates have recovered the most.
 */
static void become_idle(
	struct ledger_part *part, struct account *account, int64_t now_ms)
{
	if (!remembers(account, now_ms)) {
		drop(part, account);
		return;
	}
	DL_APPEND(part->idle, account);
	if (++part->idle_count <= LEDGER_IDLE_MOST / LEDGER_PARTS)
		return;
	part->forgotten += remembers(part->idle, now_ms);
	drop_idle(part, part->idle);
}

/* Frees idle accounts whose rates are full again, the oldest first. */
static void sweep(struct ledger_part *part, int64_t now_ms)
{
	struct account *next;
	unsigned seen = 0;

	if (now_ms - part->swept_ms < SWEEP_MS)
		return;
	part->swept_ms = now_ms;
	for (struct account *account = part->idle; account && seen < SWEEP_MOST;
		account = next, seen++) {
		next = account->next;
		if (!remembers(account, now_ms))
			drop_idle(part, account);
	}
}

static struct account *find_or_add(struct ledger_part *part, const uint8_t *key)
{
	struct account *account;

	HASH_FIND(hh, part->accounts, key, LEDGER_KEY, account);
	if (account)
		return account;
	account = calloc(1, sizeof(*account));
	if (!account)
		return NULL;
	memcpy(account->key, key, LEDGER_KEY);
	HASH_ADD_KEYPTR(hh, part->accounts, account->key, LEDGER_KEY, account);
	if (account->hh.tbl)
		return account;
	free(account); /* uthash did not add it: out of memory */
	return NULL;
}

struct account *ledger_take(struct ledger *ledger,
	const uint8_t key[LEDGER_KEY], unsigned count, int64_t most,
	int64_t now_ms)
{
	struct ledger_part *part = part_of(ledger, key);
	struct account *account;

	lock(part);
	sweep(part, now_ms);
	account = find_or_add(part, key);
	if (account && most && account->taken[count] >= most)
		account = NULL;
	if (account) {
		if (account->prev)
			leave_idle(part, account);
		account->taken[count]++;
	}
	unlock(part);
	return account;
}

bool ledger_take_more(struct ledger *ledger, struct account *account,
	unsigned count, int64_t most)
{
	struct ledger_part *part = part_of(ledger, account->key);
	bool ok;

	lock(part);
	ok = !most || account->taken[count] < most;
	if (ok)
		account->taken[count]++;
	unlock(part);
	return ok;
}

void ledger_give(struct ledger *ledger, struct account *account, unsigned count,
	int64_t now_ms)
{
	struct ledger_part *part;

	if (!account)
		return;
	part = part_of(ledger, account->key);
	lock(part);
	account->taken[count]--;
	if (!counts(account))
		become_idle(part, account, now_ms);
	unlock(part);
}

bool ledger_spend(struct ledger *ledger, struct account *account, unsigned rate,
	int64_t per_minute, int64_t now_ms)
{
	struct ledger_part *part = part_of(ledger, account->key);
	bool ok;

	lock(part);
	ok = pace_spend(
		&account->clear_ms[rate], per_minute, PACE_MINUTE_MS, now_ms);
	unlock(part);
	return ok;
}

bool ledger_affords(struct ledger *ledger, const struct account *account,
	unsigned rate, int64_t per_minute, int64_t now_ms)
{
	struct ledger_part *part = part_of(ledger, account->key);
	int64_t clear_ms;

	lock(part);
	clear_ms = account->clear_ms[rate];
	unlock(part);
	return pace_spend(&clear_ms, per_minute, PACE_MINUTE_MS, now_ms);
}

int64_t ledger_taken(
	struct ledger *ledger, const uint8_t key[LEDGER_KEY], unsigned count)
{
	struct ledger_part *part = part_of(ledger, key);
	struct account *account;
	int64_t taken = 0;

	lock(part);
	HASH_FIND(hh, part->accounts, key, LEDGER_KEY, account);
	if (account)
		taken = account->taken[count];
	unlock(part);
	return taken;
}

unsigned ledger_accounts(struct ledger *ledger)
{
	unsigned sum = 0;

	for (int i = 0; i < LEDGER_PARTS; i++) {
		lock(&ledger->part[i]);
		sum += HASH_COUNT(ledger->part[i].accounts);
		unlock(&ledger->part[i]);
	}
	return sum;
}

uint64_t ledger_forgotten(struct ledger *ledger)
{
	uint64_t sum = 0;

	for (int i = 0; i < LEDGER_PARTS; i++) {
		lock(&ledger->part[i]);
		sum += ledger->part[i].forgotten;
		unlock(&ledger->part[i]);
	}
	return sum;
}
