/* SPDX-License-Identifier: MPL-2.0 */

/* Every second: what names have used, and what other modules do about it. */

#include "accounting.h"
#include "accounts.h"
#include "data.h"
#include "presence.h"
#include "quota/quota_service.h"
#include "rate-limit/rate_limit_service.h"

#define LOOK_MS 1000

/* How many names are counted in one go, while workers wait for the lock. */
#define PART 64

static void count_one(struct account *account,
	const struct quota_service *quota, struct relay_ctx *self)
{
	int64_t bytes =
		atomic_load_explicit(&account->bytes, memory_order_relaxed);

	account->counted = true;
	account->month =
		quota ? quota->spend(self, account->name, bytes - account->told)
		      : -1;
	if (account->month >= 0)
		account->told = bytes;
	/* What nobody counts is used up: a limit that is not kept would let
	 * anybody use everything. */
	account->used_up =
		account->terms.quota > 0 &&
		(account->month < 0 || account->month >= account->terms.quota);
}

/* Whether any of them has a quota, or a rate or weight. */
static void look_at_terms(
	const struct accounts *accounts, bool *quota, bool *limits)
{
	*quota = *limits = false;
	for (size_t i = 0; i < accounts->count; i++) {
		const struct account_terms *terms = &accounts->order[i]->terms;

		*quota |= terms->quota > 0;
		*limits |= terms->rate > 0 || terms->weight > 0;
	}
}

static void warn(struct relay_ctx *cx, const struct quota_service *quota)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	bool wants_quota, wants_limits;
	bool limited = relay_service_find(cx, RATE_LIMIT_SERVICE,
			       RATE_LIMIT_SERVICE_VERSION, NULL) != NULL;

	look_at_terms(accounts, &wants_quota, &wants_limits);
	if (wants_quota && !quota && !accounts->uncounted)
		relay_log(cx, RELAY_ERROR,
			"named tokens with a quota are refused: the module "
			"quota is not enabled");
	if (wants_limits && !limited && !accounts->unlimited)
		relay_log(cx, RELAY_ERROR,
			"rates and weights of named tokens are not kept: the "
			"module rate-limit is not enabled");
	accounts->uncounted = wants_quota && !quota;
	accounts->unlimited = wants_limits && !limited;
}

static int64_t look(struct relay_ctx *cx, void *arg)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	struct relay_ctx *self;
	const struct quota_service *quota = relay_service_find(
		cx, QUOTA_SERVICE, QUOTA_SERVICE_VERSION, &self);
	size_t done = 0;
	struct account *account;

	(void)arg;
	warn(cx, quota);
	/* Only this thread adds or removes what is listed; what is not listed
	 * may be freed by workers. */
	while (done < accounts->count) {
		pthread_mutex_lock(&accounts->lock);
		for (int i = 0; i < PART && done < accounts->count; i++) {
			account = accounts->order[done++];
			count_one(account, quota, self);
		}
		pthread_mutex_unlock(&accounts->lock);
	}
	presence_withdraw(cx);
	presence_sweep(cx);
	presence_tell(cx);
	return LOOK_MS;
}

enum account_answer accounting_apply(struct relay_ctx *cx, const uint8_t *id)
{
	struct accounts *accounts = &((struct data *)cx->data)->accounts;
	enum account_answer answer = ACCOUNT_UNKNOWN;
	struct relay_ctx *self;
	const struct quota_service *quota = relay_service_find(
		cx, QUOTA_SERVICE, QUOTA_SERVICE_VERSION, &self);
	struct presence *presence;

	presence_tell(cx);
	pthread_mutex_lock(&accounts->lock);
	presence = presence_find(accounts, id);
	if (presence && presence->holders) {
		count_one(presence->account, quota, self);
		answer = account_judge(presence->account);
	}
	if (answer == ACCOUNT_OK && !presence_limited(cx, presence))
		answer = ACCOUNT_NO_MEMORY;
	pthread_mutex_unlock(&accounts->lock);
	return answer;
}

int accounting_start(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_timer_add(cx, 1, look, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

void accounting_reload(struct relay_ctx *cx)
{
	(void)look(cx, NULL);
	presence_tell_all(cx);
}

/* The workers have left, so all devices have; the second time they are
 * forgotten. */
void accounting_stop(struct relay_ctx *cx)
{
	(void)look(cx, NULL);
	presence_sweep(cx);
}
