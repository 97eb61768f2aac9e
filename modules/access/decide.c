/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "accounting.h"
#include "accounts.h"
#include "data.h"
#include "decide.h"

enum {
	REASON_ADDRESS,
	REASON_TOKEN,
	REASON_JOIN,
	REASON_ASK,
	REASON_TARGET,
	REASON_BAN,
	REASON_QUOTA,
	REASON_MEMORY,
	REASON_EXPIRED
};

static const char *const reasons[] = {
	[REASON_ADDRESS] = "address",
	[REASON_TOKEN] = "token",
	[REASON_JOIN] = "join",
	[REASON_ASK] = "ask",
	[REASON_TARGET] = "target",
	[REASON_BAN] = "ban",
	[REASON_QUOTA] = "quota",
	[REASON_MEMORY] = "memory",
	[REASON_EXPIRED] = "expired",
	[REASON_EXPIRED + 1] = NULL,
};

static const struct relay_metric_def refused = {
	.name = "refused",
	.unit = "",
	.kind = RELAY_COUNTER,
	.label = "reason",
	.values = reasons,
	.help = "Connections, joins and requests that were refused, by the "
		"kind of list that refused them.",
};

int decide_init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	data->refused = relay_metric_add(cx, &refused);
	return data->refused
		       ? 0
		       : relay_fail(err, "cannot register metric refused");
}

static enum relay_verdict refuse(struct relay_ctx *cx, unsigned reason,
	enum relay_refusal refusal, struct relay_denial *why)
{
	const struct data *data = cx->data;

	relay_metric_inc(cx, data->refused, reason, 1);
	why->refusal = refusal;
	why->word = reasons[reason];
	return RELAY_DENY;
}

/* Who has banned it would like to know that it comes back. */
static enum relay_verdict refuse_ban(struct relay_ctx *cx,
	enum relay_refusal refusal, struct relay_denial *why)
{
	struct data *data = cx->data;

	relay_log_seldom(cx, RELAY_NOTICE, &data->banned.refused,
		"a banned device was refused");
	return refuse(cx, REASON_BAN, refusal, why);
}

/*
 * The deny list wins; if there is an allow list, everything not on it is
 * denied.
 */
static bool may(const struct data *data, int list, const uint8_t *id,
	const uint8_t address[RANGE_BYTES])
{
	const struct rules *rules = data->policy->rules[list];

	if (rules_match(&rules[DENY], id, address))
		return false;
	return rules_empty(&rules[ALLOW]) ||
	       rules_match(&rules[ALLOW], id, address);
}

static void address_of(const struct relay_conn *conn, uint8_t out[RANGE_BYTES])
{
	struct sockaddr_storage from;

	relay_conn_sockaddr(conn, &from);
	range_address(&from, out);
}

static bool may_on(
	struct relay_ctx *cx, int list, const struct relay_conn *conn)
{
	struct data *data = cx->data;
	uint8_t address[RANGE_BYTES];
	bool ok;

	address_of(conn, address);
	pthread_mutex_lock(&data->lock);
	ok = may(data, list,
		list == WHO_CONNECTS ? NULL : relay_conn_peer(conn), address);
	pthread_mutex_unlock(&data->lock);
	return ok;
}

enum relay_verdict decide_conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	return may_on(cx, WHO_CONNECTS, conn)
		       ? RELAY_PASS
		       : refuse(cx, REASON_ADDRESS, RELAY_REFUSE_POLICY, why);
}

/* What the answer of an account means; an unknown, an expired and a revoked
 * token are the same to a peer. */
static enum relay_verdict by_account(struct relay_ctx *cx,
	enum account_answer answer, struct relay_denial *why)
{
	if (answer == ACCOUNT_OK)
		return RELAY_PASS;
	if (answer == ACCOUNT_TERMS)
		return RELAY_WAIT;
	if (answer == ACCOUNT_USED_UP)
		return refuse(cx, REASON_QUOTA, RELAY_REFUSE_FULL, why);
	if (answer == ACCOUNT_NO_MEMORY)
		return refuse(cx, REASON_MEMORY, RELAY_REFUSE_FULL, why);
	if (answer == ACCOUNT_EXPIRED)
		return refuse(cx, REASON_EXPIRED, RELAY_REFUSE_SECRET, why);
	return refuse(cx, REASON_TOKEN, RELAY_REFUSE_SECRET, why);
}

static enum relay_verdict by_token(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	struct data *data = cx->data;
	bool known;

	pthread_mutex_lock(&data->lock);
	known = data->policy->tokens.count > 0
			? tokens_have(&data->policy->tokens, token)
			: !data->policy->named.required;
	pthread_mutex_unlock(&data->lock);
	return known ? RELAY_PASS
		     : by_account(cx, accounts_join(cx, conn, token), why);
}

/* A join that waits until the terms of its token are in force. */
struct terms_wait {
	struct relay_ticket ticket;
	uint8_t id[RELAY_DEVICE_ID_LEN];
};

/* Other modules' services are called on the control thread only. */
static void on_terms(struct relay_ctx *cx, const void *arg)
{
	const struct terms_wait *wait = arg;
	enum account_answer answer = accounting_apply(cx, wait->id);
	struct relay_decision decision = {.verdict = RELAY_PASS};

	if (answer == ACCOUNT_UNKNOWN)
		return;
	decision.verdict = by_account(cx, answer, &decision.why);
	/* Without memory for the answer it is refused when its time is over. */
	(void)relay_settle(cx, &wait->ticket, &decision);
}

static enum relay_verdict wait_for_terms(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	struct terms_wait wait;

	memcpy(wait.id, relay_conn_peer(conn), sizeof(wait.id));
	if (relay_ticket_take(cx, RELAY_DENY, &wait.ticket) &&
		relay_post(cx, RELAY_CONTROL, on_terms, &wait, sizeof(wait)) ==
			0)
		return RELAY_WAIT;
	accounts_leave(cx, conn);
	return by_account(cx, ACCOUNT_NO_MEMORY, why);
}

enum relay_verdict decide_peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	enum relay_verdict verdict;

	if (banned_is(cx, relay_conn_peer(conn)))
		return refuse_ban(cx, RELAY_REFUSE_POLICY, why);
	verdict = by_token(cx, conn, token, why);
	if (verdict == RELAY_DENY)
		return RELAY_DENY;
	if (!may_on(cx, WHO_JOINS, conn)) {
		accounts_leave(cx, conn);
		return refuse(cx, REASON_JOIN, RELAY_REFUSE_POLICY, why);
	}
	return verdict == RELAY_WAIT ? wait_for_terms(cx, conn, why)
				     : RELAY_PASS;
}

/* The lists may have changed since the peer was admitted. */
enum relay_verdict decide_peer_stay(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	if (banned_is(cx, relay_conn_peer(conn)))
		return refuse_ban(cx, RELAY_REFUSE_POLICY, why);
	if (!may_on(cx, WHO_CONNECTS, conn))
		return refuse(cx, REASON_ADDRESS, RELAY_REFUSE_POLICY, why);
	if (!may_on(cx, WHO_JOINS, conn))
		return refuse(cx, REASON_JOIN, RELAY_REFUSE_POLICY, why);
	return by_account(cx, accounts_stay(cx, conn), why);
}

/* A device that may not stay may finish its sessions, but gets no new ones. */
static enum relay_verdict by_device(
	struct relay_ctx *cx, const uint8_t *id, struct relay_denial *why)
{
	enum account_answer answer = accounts_device(cx, id);

	if (answer == ACCOUNT_OK)
		return RELAY_PASS;
	if (answer == ACCOUNT_EXPIRED)
		return refuse(cx, REASON_EXPIRED, RELAY_REFUSE_ABSENT, why);
	return refuse(cx,
		answer == ACCOUNT_USED_UP ? REASON_QUOTA : REASON_TOKEN,
		RELAY_REFUSE_ABSENT, why);
}

/* Who asks for whom, and from where. */
static enum relay_verdict by_lists(struct relay_ctx *cx, const uint8_t *asker,
	const uint8_t address[RANGE_BYTES], const uint8_t *target,
	struct relay_denial *why)
{
	struct data *data = cx->data;
	bool asks, is_asked;

	if (banned_is(cx, asker))
		return refuse_ban(cx, RELAY_REFUSE_ABSENT, why);
	if (by_device(cx, asker, why) != RELAY_PASS ||
		by_device(cx, target, why) != RELAY_PASS)
		return RELAY_DENY;
	pthread_mutex_lock(&data->lock);
	asks = may(data, WHO_ASKS, asker, address);
	is_asked = may(data, WHO_IS_ASKED, target, address);
	pthread_mutex_unlock(&data->lock);
	if (!asks)
		return refuse(cx, REASON_ASK, RELAY_REFUSE_ABSENT, why);
	return is_asked ? RELAY_PASS
			: refuse(cx, REASON_TARGET, RELAY_REFUSE_ABSENT, why);
}

enum relay_verdict decide_peer_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	uint8_t address[RANGE_BYTES];

	address_of(conn, address);
	return by_lists(cx, relay_conn_peer(conn), address, target, why);
}

/* Its connection is to another server, whose lists may be others. */
enum relay_verdict decide_peer_asked(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why)
{
	struct data *data = cx->data;
	uint8_t address[RANGE_BYTES];
	bool connects;

	range_address(&asker->address, address);
	pthread_mutex_lock(&data->lock);
	connects = may(data, WHO_CONNECTS, NULL, address);
	pthread_mutex_unlock(&data->lock);
	if (!connects)
		return refuse(cx, REASON_ADDRESS, RELAY_REFUSE_ABSENT, why);
	return by_lists(cx, asker->id, address, target, why);
}

/* The key of a session may be older than the ban, or the end of a token. */
enum relay_verdict decide_session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *id =
			relay_conn_peer(relay_session_side(session, side));

		if (banned_is(cx, id))
			return refuse_ban(cx, RELAY_REFUSE_POLICY, why);
		if (id && by_device(cx, id, why) != RELAY_PASS)
			return RELAY_DENY;
	}
	accounts_session(cx, session);
	return RELAY_PASS;
}
