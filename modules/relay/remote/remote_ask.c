/* SPDX-License-Identifier: MPL-2.0 */

/* Requests of devices at other relays for devices here. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "relay/data.h"
#include "relay/devices/device.h"
#include "relay/events.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/remote/remote_ask.h"
#include "relay/requests/invitations.h"
#include "relay/sessions/waiting_half.h"
#include "shared/exempt.h"

_Static_assert((int)REMOTE_ERROR + 1 == (int)REMOTE_RESULT_ELSEWHERE,
	"the results of the metric follow enum remote_end");

/* On its way to the worker of the requested device. */
struct question {
	struct remote_to to;
	struct remote_ask ask;
	/* Where it is held, of IPv4 and of IPv6; key_len 0 in both: here. */
	struct relay_found found[2];
};

_Static_assert(sizeof(struct question) <= RELAY_POST_MAX, "it fits");

static bool is_elsewhere(const struct question *question)
{
	return question->found[0].key_len > 0 || question->found[1].key_len > 0;
}

static void address_text(
	const struct sockaddr_storage *from, char out[RELAY_ADDR_TEXT])
{
	const struct sockaddr_in6 *v6 = (const void *)from;
	const struct sockaddr_in *v4 = (const void *)from;
	char host[INET6_ADDRSTRLEN] = "";

	if (from->ss_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
	else if (from->ss_family == AF_INET)
		(void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
	(void)snprintf(out, RELAY_ADDR_TEXT, "%s", host);
}

/* For the debug log, and for those who follow. */
static void tell(struct relay_ctx *cx, const struct remote_ask *ask,
	const char *what, const char *detail)
{
	char from[RELAY_ADDR_TEXT], id[RELAY_DEVICE_ID_TEXT];
	const struct relay_field fields[] = {
		{"peer", from}, {"device", id}, {NULL, NULL}};

	if (!events_wanted(cx) && !relay_log_wanted(RELAY_DEBUG))
		return;
	address_text(&ask->from, from);
	if (events_wanted(cx))
		events_elsewhere(
			cx, ask->asker, from, what, detail, ask->target);
	relay_device_id_format(ask->asker, id);
	relay_log_fields(cx, RELAY_DEBUG, fields, "%s%s%s", what,
		detail ? ": " : "", detail ? detail : "");
}

static bool takes_sessions(void)
{
	return !relay_closed() && relay_draining() == RELAY_DRAIN_NONE;
}

/* Adds it to the sessions that have not begun; see pending_add_remote().  With
 * `invites`, the device is invited here to a session held here. */
static enum remote_end remember(struct relay_ctx *cx,
	const struct remote_ask *ask, const struct relay_found *found,
	bool invites, uint8_t key[2][ID_LEN])
{
	struct relay_data *data = data_of(cx);
	int64_t now = relay_now_ms(cx);
	int64_t deadline = now + conf_of(cx)->message_timeout_ms;
	enum pending_room room;
	struct source source;
	struct place lost[2];

	pthread_mutex_lock(&data->lock);
	exempt_address(&data->exempt, &ask->from, &source);
	pthread_mutex_unlock(&data->lock);
	room = invites ? pending_add(&data->pending, ask->asker, ask->target,
				 &source, deadline, now, key, lost)
		       : pending_add_remote(&data->pending, ask->asker,
				 ask->target, &source, deadline, now, found,
				 key, lost);
	waiting_half_close(cx, lost[0]);
	waiting_half_close(cx, lost[1]);
	if (room == PENDING_ROOM)
		return REMOTE_INVITED;
	if (room == PENDING_NO_MEMORY)
		return REMOTE_ERROR;
	peer_bound(cx, BOUND_PENDING);
	if (!pending_added(room))
		return REMOTE_FULL;
	count(cx, METRIC_GIVEN_UP, room - PENDING_MADE_ROOM);
	return REMOTE_INVITED;
}

static bool is_refused(struct relay_ctx *cx, const struct remote_ask *ask)
{
	struct relay_denial why = {RELAY_REFUSE_POLICY, "refused"};
	struct relay_asker asker = {.address = ask->from};

	memcpy(asker.id, ask->asker, ID_LEN);
	if (relay_ask_asked(cx, &asker, ask->target, &why) == RELAY_PASS)
		return false;
	tell(cx, ask, "refused at another relay", why.word);
	return true;
}

static bool is_v4(const struct sockaddr_storage *from)
{
	const struct sockaddr_in6 *v6 = (const void *)from;

	return from->ss_family == AF_INET ||
	       (from->ss_family == AF_INET6 &&
		       IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr));
}

/* Of the family by which the device has come, since it may have no other. */
static const struct relay_found *choose(struct relay_ctx *cx,
	const struct question *question, struct place owner)
{
	const struct relay_found *found = question->found;
	struct relay_conn *conn =
		owner.worker == cx->worker
			? device_owner(cx, question->ask.target, owner)
			: NULL;
	struct sockaddr_storage from;
	int family = found[0].key_len ? 0 : 1;

	if (!conn)
		return &found[family];
	relay_conn_sockaddr(conn, &from);
	family = is_v4(&from) ? 0 : 1;
	return found[family].key_len ? &found[family] : &found[1 - family];
}

static enum remote_end decide(struct relay_ctx *cx,
	const struct question *question, uint8_t key[2][ID_LEN])
{
	const struct remote_ask *ask = &question->ask;
	bool elsewhere = is_elsewhere(question);
	struct place owner;

	if (!directory_find(&data_of(cx)->directory, ask->target, &owner))
		return REMOTE_ABSENT;
	if (is_refused(cx, ask))
		return REMOTE_REFUSED;
	if (!elsewhere && !takes_sessions())
		return REMOTE_CLOSED;
	return remember(cx, ask, choose(cx, question, owner), !elsewhere, key);
}

static void count_end(
	struct relay_ctx *cx, enum remote_end end, unsigned if_invited)
{
	count(cx, METRIC_REMOTE,
		end == REMOTE_INVITED ? if_invited : (unsigned)end);
}

static void answer(struct relay_ctx *cx, const struct question *question,
	enum remote_end end, const uint8_t *key)
{
	struct remote_answer is = {.number = question->ask.number, .end = end};

	count_end(cx, end,
		is_elsewhere(question) ? REMOTE_RESULT_ELSEWHERE
				       : (unsigned)REMOTE_INVITED);
	if (end == REMOTE_INVITED && !is_elsewhere(question))
		memcpy(is.key, key, ID_LEN);
	remote_answer_ask(cx, &question->to, &is);
}

/* On a worker: modules are asked there, and so are timers of invitations. */
static void on_question(struct relay_ctx *cx, const void *arg)
{
	const struct question *question = arg;
	uint8_t key[2][ID_LEN];
	enum remote_end end = decide(cx, question, key);

	answer(cx, question, end, key[SIDE_CLIENT]);
	if (end != REMOTE_INVITED)
		return;
	tell(cx, &question->ask, "requests a device at another relay", NULL);
	invitations_dispatch(cx, question->ask.target);
}

int remote_ask_begin(struct relay_ctx *self, const struct remote_to *to,
	const struct remote_ask *ask, const struct relay_found found[2])
{
	struct question question = {.to = *to, .ask = *ask};
	struct place owner;

	if (found)
		memcpy(question.found, found, sizeof(question.found));
	if (found && !is_elsewhere(&question))
		return -1;
	if (directory_find(&data_of(self)->directory, ask->target, &owner))
		return relay_post(self, owner.worker, on_question, &question,
			sizeof(question));
	answer(self, &question, REMOTE_ABSENT, NULL);
	return 0;
}

enum remote_end remote_prepare(struct relay_ctx *self,
	const struct remote_ask *ask, uint8_t key[2][ID_LEN])
{
	enum remote_end end = REMOTE_CLOSED;

	if (takes_sessions())
		end = remember(self, ask, NULL, false, key);
	count_end(self, end, REMOTE_RESULT_PREPARED);
	return end;
}
