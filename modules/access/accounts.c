/* SPDX-License-Identifier: MPL-2.0 */

/* The named tokens in force, and the devices that have joined with them. */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "accounts.h"
#include "data.h"
#include "presence.h"

static struct accounts *accounts_of(const struct relay_ctx *cx)
{
	return &((struct data *)cx->data)->accounts;
}

/* Accounts.  All with the lock held. */

static struct account *find_name(
	const struct accounts *accounts, const char *name)
{
	struct account *account = accounts->all;

	while (account && strcmp(account->name, name) != 0)
		account = account->next;
	return account;
}

/* All are compared, so that the time tells nothing. */
static struct account *find_token(
	const struct accounts *accounts, const char *token)
{
	struct account *found = NULL;
	uint8_t digest[32];

	if (!SHA256((const unsigned char *)token, strlen(token), digest))
		return NULL;
	for (size_t i = 0; i < accounts->count; i++)
		if (CRYPTO_memcmp(digest, accounts->order[i]->terms.digest,
			    sizeof(digest)) == 0)
			found = accounts->order[i];
	return found;
}

/* Workers. */

static enum account_answer enter(struct accounts *accounts,
	struct member *member, const uint8_t *id, struct account *account)
{
	struct presence *presence = presence_enter(accounts, id, account);

	if (!presence)
		return ACCOUNT_NO_MEMORY;
	member->presence = presence;
	return presence_in_force(accounts, presence) ? ACCOUNT_OK
						     : ACCOUNT_TERMS;
}

/* With a name that was not counted yet, too: that is done first. */
static bool may_enter(const struct account *account, enum account_answer answer)
{
	return answer == ACCOUNT_OK ||
	       (answer == ACCOUNT_USED_UP && !account->counted);
}

enum account_answer accounts_join(
	struct relay_ctx *cx, struct relay_conn *conn, const char *token)
{
	struct accounts *accounts = accounts_of(cx);
	struct member *member = relay_conn_data(cx, conn);
	const uint8_t *id = relay_conn_peer(conn);
	enum account_answer answer = ACCOUNT_UNKNOWN;
	struct account *account;
	bool news = false;

	accounts_leave(cx, conn);
	pthread_mutex_lock(&accounts->lock);
	account = find_token(accounts, token);
	if (account)
		answer = account_judge(account);
	if (account && may_enter(account, answer) && member && id) {
		answer = enter(accounts, member, id, account);
		news = accounts->changed != NULL && answer != ACCOUNT_TERMS;
	}
	pthread_mutex_unlock(&accounts->lock);
	if (news)
		presence_tell_soon(cx);
	return answer;
}

enum account_answer accounts_stay(
	struct relay_ctx *cx, const struct relay_conn *conn)
{
	struct accounts *accounts = accounts_of(cx);
	const struct member *member = relay_conn_data(cx, conn);
	enum account_answer answer = ACCOUNT_OK;

	if (!member || !member->presence)
		return ACCOUNT_OK;
	pthread_mutex_lock(&accounts->lock);
	answer = account_judge(member->presence->account);
	pthread_mutex_unlock(&accounts->lock);
	return answer;
}

enum account_answer accounts_device(struct relay_ctx *cx, const uint8_t *id)
{
	struct accounts *accounts = accounts_of(cx);
	enum account_answer answer = ACCOUNT_OK;
	const struct presence *presence;

	pthread_mutex_lock(&accounts->lock);
	presence = presence_find(accounts, id);
	if (presence)
		answer = account_judge(presence->account);
	pthread_mutex_unlock(&accounts->lock);
	return answer;
}

void accounts_leave(struct relay_ctx *cx, const struct relay_conn *conn)
{
	struct accounts *accounts = accounts_of(cx);
	struct member *member = relay_conn_data(cx, conn);

	if (!member || !member->presence)
		return;
	pthread_mutex_lock(&accounts->lock);
	presence_leave(accounts, member->presence);
	pthread_mutex_unlock(&accounts->lock);
	member->presence = NULL;
}

void accounts_conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	(void)reason;
	accounts_leave(cx, conn);
}

/* Whoever has joined with a name uses it in all sessions, which have no token.
 */
void accounts_session(struct relay_ctx *cx, struct relay_session *session)
{
	struct accounts *accounts = accounts_of(cx);
	struct session_names *names = relay_session_data(cx, session);
	bool any = false;

	pthread_mutex_lock(&accounts->lock);
	for (int side = 0; names && accounts->here && side < 2; side++) {
		const uint8_t *id =
			relay_conn_peer(relay_session_side(session, side));
		struct presence *presence =
			id ? presence_find(accounts, id) : NULL;

		if (!presence)
			continue;
		names->devices[side] = presence;
		presence->sessions++;
		if (presence->account == names->of[0])
			continue;
		names->of[side] = presence->account;
		presence->account->holders++;
		any = true;
	}
	pthread_mutex_unlock(&accounts->lock);
	if (any)
		relay_session_hooks(cx, true);
}

int accounts_worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	/* Until the first session of a name. */
	relay_session_hooks(cx, false);
	return 0;
}

void accounts_session_enter(struct relay_ctx *cx, struct relay_session *session)
{
	const struct session_names *names = relay_session_data(cx, session);

	if (names && (names->of[0] || names->of[1]))
		relay_session_hooks(cx, true);
}

void accounts_session_sent(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len)
{
	struct session_names *names = relay_session_data(cx, session);

	(void)from;
	for (int side = 0; names && side < 2; side++)
		if (names->of[side])
			atomic_fetch_add_explicit(&names->of[side]->bytes,
				(int64_t)len, memory_order_relaxed);
}

void accounts_session_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	struct accounts *accounts = accounts_of(cx);
	struct session_names *names = relay_session_data(cx, session);

	(void)reason;
	if (!names || (!names->devices[0] && !names->devices[1]))
		return;
	pthread_mutex_lock(&accounts->lock);
	for (int side = 0; side < 2; side++) {
		if (names->devices[side])
			presence_session_over(accounts, names->devices[side]);
		if (names->of[side])
			accounts_let_go(accounts, names->of[side]);
	}
	pthread_mutex_unlock(&accounts->lock);
	*names = (struct session_names){.of = {NULL}};
}

/* Control. */

int accounts_label(struct relay_ctx *cx, const struct named *named)
{
	struct accounts *accounts = accounts_of(cx);
	const char **labels = calloc(named->count + 1, sizeof(*labels));
	int result = labels ? 0 : -1;

	for (size_t i = 0; labels && i < named->count; i++)
		labels[i] = named->list[i]->name;
	for (int i = 0; result == 0 && i < ACCOUNTS_METRICS; i++)
		result = relay_metric_relabel(cx, accounts->metrics[i], labels);
	free(labels);
	return result;
}

/* One line of the new file: a name that is known keeps what it has used. */
static struct account *take_line(
	struct accounts *accounts, struct account *line)
{
	struct account *known = find_name(accounts, line->name);

	if (known) {
		known->terms = line->terms;
		free(line);
	} else {
		known = line;
		known->next = accounts->all;
		accounts->all = known;
		/* Until it has been counted. */
		known->used_up = known->terms.quota > 0;
	}
	known->listed = true;
	return known;
}

void accounts_take(struct relay_ctx *cx, struct named *named, bool anew)
{
	struct accounts *accounts = accounts_of(cx);
	struct account **before, *account;

	pthread_mutex_lock(&accounts->lock);
	before = accounts->order;
	accounts->generation++;
	for (account = accounts->all; anew && account; account = account->next)
		account->revoked = false;
	for (size_t i = 0; i < accounts->count; i++)
		before[i]->listed = false;
	for (size_t i = 0; i < named->count; i++)
		named->list[i] = take_line(accounts, named->list[i]);
	accounts->order = named->list;
	accounts->count = named->count;
	named->list = NULL;
	named->count = 0;
	accounts_drop_unused(accounts);
	pthread_mutex_unlock(&accounts->lock);
	free(before);
}

bool accounts_revoke(struct relay_ctx *cx, const char *name)
{
	struct accounts *accounts = accounts_of(cx);
	struct account *account;

	pthread_mutex_lock(&accounts->lock);
	account = find_name(accounts, name);
	if (account)
		account->revoked = true;
	pthread_mutex_unlock(&accounts->lock);
	return account != NULL;
}

bool accounts_terms(
	struct relay_ctx *cx, const char *name, struct account_terms *out)
{
	struct accounts *accounts = accounts_of(cx);
	const struct account *account;

	pthread_mutex_lock(&accounts->lock);
	account = find_name(accounts, name);
	if (account)
		*out = account->terms;
	pthread_mutex_unlock(&accounts->lock);
	return account != NULL;
}

bool accounts_row(struct relay_ctx *cx, size_t place, struct account_row *out)
{
	static const char *const states[] = {[ACCOUNT_OK] = "valid",
		[ACCOUNT_OVER] = "over",
		[ACCOUNT_EXPIRED] = "expired",
		[ACCOUNT_USED_UP] = "used up"};
	struct accounts *accounts = accounts_of(cx);
	const struct account *account;

	pthread_mutex_lock(&accounts->lock);
	account = accounts->all;
	while (account && place--)
		account = account->next;
	if (account) {
		*out = (struct account_row){.terms = account->terms,
			.devices = account->devices,
			.bytes = atomic_load_explicit(
				&account->bytes, memory_order_relaxed),
			.month = account->month,
			.state = states[account_judge(account)]};
		memcpy(out->name, account->name, sizeof(out->name));
	}
	pthread_mutex_unlock(&accounts->lock);
	return account != NULL;
}

static int64_t read_number(struct relay_ctx *cx, unsigned value, bool devices)
{
	struct accounts *accounts = accounts_of(cx);
	int64_t number = 0;

	pthread_mutex_lock(&accounts->lock);
	if (value < accounts->count)
		number = devices ? accounts->order[value]->devices
				 : atomic_load_explicit(
					   &accounts->order[value]->bytes,
					   memory_order_relaxed);
	pthread_mutex_unlock(&accounts->lock);
	return number;
}

static int64_t read_bytes(struct relay_ctx *cx, unsigned value)
{
	return read_number(cx, value, false);
}

static int64_t read_devices(struct relay_ctx *cx, unsigned value)
{
	return read_number(cx, value, true);
}

/* Replaced at the start. */
static const char *const none[] = {"none", NULL};

static const struct relay_metric_def metrics[ACCOUNTS_METRICS] = {
	[ACCOUNTS_BYTES] = {.name = "token_traffic",
		.unit = "bytes",
		.kind = RELAY_COUNTER,
		.label = "name",
		.values = none,
		.read = read_bytes,
		.help = "Relayed bytes of the devices that have joined with "
			"the token of that name, each counted once."},
	[ACCOUNTS_DEVICES] = {.name = "token_devices",
		.unit = "",
		.kind = RELAY_GAUGE,
		.label = "name",
		.values = none,
		.read = read_devices,
		.help = "Devices that are here and have joined with the token "
			"of that name."},
};

int accounts_init(struct relay_ctx *cx, struct relay_err *err)
{
	struct accounts *accounts = accounts_of(cx);

	if (relay_metrics_add(
		    cx, metrics, ACCOUNTS_METRICS, accounts->metrics, err) != 0)
		return -1;
	if (id_hash_init() != 0 ||
		pthread_mutex_init(&accounts->lock, NULL) != 0)
		return relay_fail(err, "no random numbers, or no mutex");
	return 0;
}

/* Every connection and session has been closed for this module. */
void accounts_fini(struct relay_ctx *cx)
{
	struct accounts *accounts = accounts_of(cx);

	struct account *account;

	for (account = accounts->all; account; account = account->next)
		account->listed = account->revoked = false;
	accounts_drop_unused(accounts);
	free(accounts->order);
	pthread_mutex_destroy(&accounts->lock);
}
