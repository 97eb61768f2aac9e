/* SPDX-License-Identifier: MPL-2.0 */

/* Tells the results of requests. */

#include <strelaysrv/log.h>

#include "cluster/redis/registry_state.h"

/* One line for each kind of fault in that time. */
#define SAY_AGAIN_US 60000000
/* Of lease_all(), more are not asked for. */
#define PAGES_MOST 64

void answers_fault(struct redis_registry *registry, enum redis_fault fault,
	const struct resp *reply)
{
	int64_t now = talk_now_us(), *said = &registry->said_fault_us[fault];
	char text[REPLY_TEXT];

	registry->counts.faults[fault]++;
	if (*said && now - *said < SAY_AGAIN_US)
		return;
	*said = now;
	reply_describe(reply, text);
	registry_say(registry, RELAY_WARNING, "%s: %s (%s)",
		registry->server_text, reply_fault_text(fault), text);
}

static int take_claim(struct redis_registry *registry,
	const struct asked *asked, const struct resp *reply)
{
	struct owner before, now;

	if (reply_claim(reply, &before, &now) != 0)
		return -1;
	registry->calls.claimed(registry->arg, asked->of.id, &before, &now);
	return 0;
}

static int take_find(struct redis_registry *registry, const struct asked *asked,
	const struct resp *reply)
{
	enum find_end end;

	if (reply_find(reply, &end) != 0)
		return -1;
	registry->calls.found(registry->arg, asked->of.number, end);
	return 0;
}

static int take_leases(
	struct redis_registry *registry, const struct resp *reply)
{
	const struct resp *leases;
	char next[24];

	if (reply_leases(reply, next, &leases) != 0)
		return -1;
	for (size_t i = 0; i < leases->count; i++) {
		const struct resp *lease = &leases->of[i];

		if (lease->type != RESP_TEXT)
			answers_fault(registry, REDIS_FAULT_REPLY, lease);
		else
			registry->calls.received(
				registry->arg, lease->bytes, lease->len);
	}
	/* If it is refused, the leases come as messages within seconds. */
	if ((next[0] != '0' || next[1]) && ++registry->pages < PAGES_MOST)
		(void)requests_leases(registry, next);
	return 0;
}

static int take_row(struct redis_registry *registry, const struct asked *asked,
	const struct resp *reply)
{
	struct registry_row row = {.key = asked->of.id};

	if (reply_row(reply, &row) != 0)
		return -1;
	registry->calls.row_stored(registry->arg, asked->table, &row);
	return 0;
}

static int take_rows(struct redis_registry *registry, const struct asked *asked,
	const struct resp *reply)
{
	struct registry_page page;
	const struct resp *rows;

	if (reply_rows(reply, &page, &rows) != 0)
		return -1;
	for (size_t i = 0; i < rows->count; i++) {
		struct registry_row row;

		if (reply_keyed_row(&rows->of[i], &row) != 0)
			answers_fault(
				registry, REDIS_FAULT_REPLY, &rows->of[i]);
		else
			registry->calls.row_came(
				registry->arg, asked->table, &row);
	}
	registry->calls.rows_over(registry->arg, asked->table, &page);
	return 0;
}

static int take_role(struct redis_registry *registry, const struct resp *reply)
{
	struct reply_role role;

	registry->heart_waits = false;
	if (reply_role(reply, &role) != 0)
		return -1;
	if (role.role == ROLE_REPLICA)
		seek_led(registry, role.host->bytes, role.host->len, role.port,
			"it has become a replica");
	return 0;
}

/* -1: it has a form that was not expected. */
static int take_value(struct redis_registry *registry,
	const struct asked *asked, const struct resp *reply)
{
	const uint8_t *id;

	switch (asked->kind) {
	case ASKED_CLAIM:
		return take_claim(registry, asked, reply);
	case ASKED_FIND:
		return take_find(registry, asked, reply);
	case ASKED_LEASES:
		return take_leases(registry, reply);
	case ASKED_ROW_PUT:
		return take_row(registry, asked, reply);
	case ASKED_ROWS:
		return take_rows(registry, asked, reply);
	case ASKED_ROLE_AGAIN:
		return take_role(registry, reply);
	case ASKED_IDENTIFY:
		if (reply_identify(reply, &id) != 0)
			return -1;
		registry->calls.identified(registry->arg, id);
		return 0;
	default:
		return reply->type == RESP_INTEGER ? 0 : -1;
	}
}

static void tell_none(
	struct redis_registry *registry, const struct asked *asked)
{
	const struct owner nobody = {0, 0};
	const struct registry_row no_row = {.key = asked->of.id};
	const struct registry_page no_page = {.answered = false};

	if (asked->kind == ASKED_CLAIM)
		registry->calls.claimed(
			registry->arg, asked->of.id, &nobody, &nobody);
	else if (asked->kind == ASKED_FIND)
		registry->calls.found(
			registry->arg, asked->of.number, FIND_UNKNOWN);
	else if (asked->kind == ASKED_ROW_PUT)
		registry->calls.row_stored(
			registry->arg, asked->table, &no_row);
	else if (asked->kind == ASKED_ROWS)
		registry->calls.rows_over(
			registry->arg, asked->table, &no_page);
	else if (asked->kind == ASKED_ROLE_AGAIN)
		registry->heart_waits = false;
}

/* The server is of no use any more after such a fault. */
static void leave(struct redis_registry *registry, enum redis_fault fault,
	const struct resp *reply)
{
	const uint8_t *host;
	size_t len;
	uint64_t port;

	if (reply_moved(reply, &host, &len, &port) == 0)
		seek_led(registry, host, len, port,
			"another server has the keys now");
	else if (fault == REDIS_FAULT_MOVED)
		seek_passed_over(registry, reply_fault_text(fault));
	else
		seek_failed(registry, "%s", reply_fault_text(fault));
}

void answers_take(struct redis_registry *registry, const struct asked *asked,
	const struct resp *reply)
{
	enum redis_fault fault;

	if (!reply) {
		if (asked->kind >= ASKED_CLAIM)
			registry->counts.unanswered++;
		tell_none(registry, asked);
		return;
	}
	fault = reply_fault(reply);
	/* A server that does not allow ROLE has been warned of. */
	if (asked->given_up || (asked->kind == ASKED_ROLE_AGAIN &&
				       fault == REDIS_FAULT_RIGHTS)) {
		if (asked->kind == ASKED_ROLE_AGAIN)
			registry->heart_waits = false;
		return;
	}
	if (fault == REDIS_FAULTS && take_value(registry, asked, reply) == 0)
		return;
	fault = fault == REDIS_FAULTS ? REDIS_FAULT_REPLY : fault;
	answers_fault(registry, fault, reply);
	tell_none(registry, asked);
	if (fault == REDIS_FAULT_MOVED || fault == REDIS_FAULT_SCRIPT)
		leave(registry, fault, reply);
}
