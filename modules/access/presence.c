/* SPDX-License-Identifier: MPL-2.0 */

/* Which devices are here by which named token. */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "data.h"
#include "presence.h"
#include "rate-limit/rate_limit_service.h"
#include "relay/devices_service.h"

/* How many are told in one go, while workers wait for the lock. */
#define PART 64

static void changed(struct accounts *accounts, struct presence *presence)
{
	if (presence->changed || (!presence->holders && !presence->kept))
		return;
	presence->changed = true;
	DL_APPEND(accounts->changed, presence);
}

static bool has_terms(const struct account *account)
{
	return account->terms.rate || account->terms.weight;
}

/* Whether rate-limit knows what its account says. */
static bool is_told(
	const struct accounts *accounts, const struct presence *presence)
{
	return presence->limited == has_terms(presence->account) &&
	       (!presence->limited || presence->told == accounts->generation);
}

struct presence *presence_find(struct accounts *accounts, const uint8_t *id)
{
	struct presence *presence;

	HASH_FIND(hh, accounts->here, id, ID_LEN, presence);
	return presence;
}

static struct presence *add(struct accounts *accounts, const uint8_t *id)
{
	struct presence *presence = calloc(1, sizeof(*presence));

	if (!presence)
		return NULL;
	memcpy(presence->id, id, ID_LEN);
	HASH_ADD_KEYPTR(hh, accounts->here, presence->id, ID_LEN, presence);
	if (presence->hh.tbl)
		return presence;
	free(presence); /* uthash did not add it: out of memory */
	return NULL;
}

static void come_back(struct accounts *accounts, struct presence *presence)
{
	if (presence->withdrawn)
		DL_DELETE(accounts->withdrawn, presence);
	else if (!presence->kept)
		DL_DELETE(accounts->left, presence);
	presence->withdrawn = presence->kept = false;
	presence->account->devices++;
}

struct presence *presence_enter(
	struct accounts *accounts, const uint8_t *id, struct account *account)
{
	struct presence *presence = presence_find(accounts, id);

	if (presence && !presence->holders)
		come_back(accounts, presence);
	if (!presence)
		presence = add(accounts, id);
	if (!presence)
		return NULL;
	presence->holders++;
	if (presence->account != account) {
		if (presence->account) {
			presence->account->devices--;
			presence->account->holders--;
		}
		presence->account = account;
		presence->evicted = false;
		presence->ends = 0;
		presence->told = 0;
		account->devices++;
		account->holders++;
	}
	if (!is_told(accounts, presence))
		changed(accounts, presence);
	return presence;
}

bool presence_in_force(
	const struct accounts *accounts, const struct presence *presence)
{
	const struct account *account = presence->account;

	return !presence->changed && is_told(accounts, presence) &&
	       (!account->terms.quota || account->counted);
}

static void no_change(struct accounts *accounts, struct presence *presence)
{
	if (presence->changed)
		DL_DELETE(accounts->changed, presence);
	presence->changed = false;
}

void presence_leave(struct accounts *accounts, struct presence *presence)
{
	if (--presence->holders > 0)
		return;
	presence->account->devices--;
	no_change(accounts, presence);
	DL_APPEND(accounts->left, presence);
}

void presence_session_over(struct accounts *accounts, struct presence *presence)
{
	if (--presence->sessions > 0 || !presence->kept)
		return;
	no_change(accounts, presence);
	presence->kept = false;
	presence->withdrawn = true;
	DL_APPEND(accounts->withdrawn, presence);
}

static void tell(struct relay_ctx *cx, struct presence *presence,
	const struct rate_limit_service *limiter, struct relay_ctx *self)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	const struct account *account = presence->account;

	no_change(accounts, presence);
	presence->told = accounts->generation;
	if (presence->limited && limiter)
		limiter->let_go(self, presence->id);
	presence->limited =
		limiter && has_terms(account) &&
		limiter->hold(self, presence->id, account->terms.rate,
			account->terms.weight) == 0;
}

static const struct rate_limit_service *find_limiter(
	struct relay_ctx *cx, struct relay_ctx **self)
{
	return relay_service_find(
		cx, RATE_LIMIT_SERVICE, RATE_LIMIT_SERVICE_VERSION, self);
}

bool presence_limited(struct relay_ctx *cx, const struct presence *presence)
{
	struct relay_ctx *self;

	return presence->limited || !has_terms(presence->account) ||
	       !find_limiter(cx, &self);
}

/* What is done with each of a list, which takes it out of the list. */
typedef void change_fn(struct relay_ctx *cx, struct presence *presence,
	const struct rate_limit_service *limiter, struct relay_ctx *self);

static void empty(
	struct relay_ctx *cx, struct presence *const *list, change_fn *change)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	struct relay_ctx *self;
	const struct rate_limit_service *limiter = find_limiter(cx, &self);
	bool more;

	do {
		pthread_mutex_lock(&accounts->lock);
		for (int i = 0; *list && i < PART; i++)
			change(cx, *list, limiter, self);
		more = *list != NULL;
		pthread_mutex_unlock(&accounts->lock);
	} while (more);
}

void presence_tell(struct relay_ctx *cx)
{
	empty(cx, &((struct data *)cx->data)->accounts.changed, tell);
}

void presence_tell_all(struct relay_ctx *cx)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	struct presence *presence;
	struct relay_ctx *self;
	const struct rate_limit_service *limiter = find_limiter(cx, &self);

	pthread_mutex_lock(&accounts->lock);
	accounts->generation++;
	for (presence = accounts->here; presence; presence = presence->hh.next)
		changed(accounts, presence);
	pthread_mutex_unlock(&accounts->lock);
	presence_tell(cx);
	if (limiter)
		limiter->apply_now(self);
}

static void told(struct relay_ctx *cx, const void *arg)
{
	(void)arg;
	presence_tell(cx);
}

/* If memory is short, the timer does it. */
void presence_tell_soon(struct relay_ctx *cx)
{
	(void)relay_post(cx, RELAY_CONTROL, told, NULL, 0);
}

bool presence_name(
	struct relay_ctx *cx, const uint8_t *id, char out[TOKEN_NAME_TEXT])
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	const struct presence *presence;

	pthread_mutex_lock(&accounts->lock);
	presence = presence_find(accounts, id);
	if (presence && !presence->holders)
		presence = NULL;
	if (presence)
		memcpy(out, presence->account->name, TOKEN_NAME_TEXT);
	pthread_mutex_unlock(&accounts->lock);
	return presence != NULL;
}

/* With the lock held. */
static bool any_is_newly_over(struct accounts *accounts)
{
	struct account *account;
	bool any = false;

	for (account = accounts->all; account; account = account->next) {
		enum account_answer answer = account_judge(account);
		bool over = answer == ACCOUNT_OVER || answer == ACCOUNT_EXPIRED;

		any |= over && !account->over && account->devices > 0;
		account->ends += over && !account->over;
		account->over = over;
	}
	return any;
}

/* The next ones, and how many. */
static size_t to_withdraw(
	struct accounts *accounts, uint8_t ids[PART][RELAY_DEVICE_ID_LEN])
{
	struct presence *presence;
	size_t count = 0;

	pthread_mutex_lock(&accounts->lock);
	for (presence = accounts->here; presence && count < PART;
		presence = presence->hh.next)
		if (presence->account->over &&
			presence->ends != presence->account->ends) {
			presence->ends = presence->account->ends;
			memcpy(ids[count++], presence->id, ID_LEN);
		}
	pthread_mutex_unlock(&accounts->lock);
	return count;
}

static const struct relay_devices_service *find_devices(
	struct relay_ctx *cx, struct relay_ctx **self)
{
	return relay_service_find(
		cx, RELAY_DEVICES_SERVICE, RELAY_DEVICES_SERVICE_VERSION, self);
}

void presence_withdraw(struct relay_ctx *cx)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	uint8_t ids[PART][RELAY_DEVICE_ID_LEN];
	struct relay_ctx *self;
	const struct relay_devices_service *here = find_devices(cx, &self);
	size_t count;
	bool any;

	pthread_mutex_lock(&accounts->lock);
	any = here && any_is_newly_over(accounts);
	pthread_mutex_unlock(&accounts->lock);
	while (any && (count = to_withdraw(accounts, ids)) > 0)
		for (size_t i = 0; i < count; i++)
			here->withdraw(self, ids[i]);
}

static void forget(struct relay_ctx *cx, struct presence *presence,
	const struct rate_limit_service *limiter, struct relay_ctx *self)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;

	DL_DELETE(accounts->withdrawn, presence);
	if (presence->sessions) {
		presence->withdrawn = false;
		presence->kept = true;
		if (!is_told(accounts, presence))
			changed(accounts, presence);
		return;
	}
	HASH_DEL(accounts->here, presence);
	if (presence->limited && limiter)
		limiter->let_go(self, presence->id);
	accounts_let_go(accounts, presence->account);
	free(presence);
}

/* Whether something would count for it if one of its sessions began. */
static bool owes(const struct presence *presence)
{
	const struct account *account = presence->account;

	return has_terms(account) || account->terms.quota ||
	       account->terms.expires_s || account_judge(account) != ACCOUNT_OK;
}

/* Takes some of those that have left; *count of them owe something.  False:
 * there are none. */
static bool take_left(struct accounts *accounts,
	uint8_t ids[PART][RELAY_DEVICE_ID_LEN], size_t *count)
{
	struct presence *presence;
	int taken = 0;

	*count = 0;
	pthread_mutex_lock(&accounts->lock);
	for (; (presence = accounts->left) && taken < PART; taken++) {
		DL_DELETE(accounts->left, presence);
		DL_APPEND(accounts->withdrawn, presence);
		presence->withdrawn = true;
		if (owes(presence))
			memcpy(ids[(*count)++], presence->id, ID_LEN);
	}
	pthread_mutex_unlock(&accounts->lock);
	return taken > 0;
}

void presence_sweep(struct relay_ctx *cx)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	uint8_t ids[PART][RELAY_DEVICE_ID_LEN];
	struct relay_ctx *self;
	const struct relay_devices_service *here = find_devices(cx, &self);
	size_t count;

	empty(cx, &accounts->withdrawn, forget);
	while (take_left(accounts, ids, &count))
		for (size_t i = 0; here && i < count; i++)
			here->withdraw(self, ids[i]);
}

size_t presence_evict(struct relay_ctx *cx, const char *name,
	uint8_t ids[][RELAY_DEVICE_ID_LEN], size_t most)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	struct presence *presence;
	size_t count = 0;

	pthread_mutex_lock(&accounts->lock);
	for (presence = accounts->here; presence && count < most;
		presence = presence->hh.next) {
		if (presence->evicted || !presence->account->revoked ||
			strcmp(presence->account->name, name) != 0)
			continue;
		presence->evicted = true;
		memcpy(ids[count++], presence->id, ID_LEN);
	}
	pthread_mutex_unlock(&accounts->lock);
	return count;
}
