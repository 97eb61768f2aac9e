/* SPDX-License-Identifier: MPL-2.0 */

/* Misbehaving devices, replaced at each tick. */

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gang.h"
#include "half.h"
#include "identity.h"
#include "link.h"

#define TICK_MS 2
#define PINGS   100 /* in one write */
/* Larger than all that a small handshake needs. */
#define PART_OF_RECORD 4300

struct member {
	struct gang *all;
	struct link *link;
	struct half half;
	bool joined;
};

struct gang {
	struct siege *siege;
	const struct gang_plan *plan; /* borrowed */
	struct identities identities;
	struct member *members;
	struct event tick;
	double may_begin;
	size_t next_identity;
	unsigned dice;
	struct gang_counts counts;
	uint8_t pings[PINGS * FRAME_EMPTY_SIZE];
};

static void end(struct member *member)
{
	link_destroy(member->link);
	member->link = NULL;
	member->joined = false;
	half_reset(&member->half);
}

static void join_wrongly(struct link *link)
{
	static const char token[] = "not the word";
	uint8_t message[FRAME_HEADER_LEN + 64];

	link_send(link, message,
		frame_write_join_relay(
			message, sizeof(message), token, sizeof(token) - 1));
}

static const uint8_t *whom_to_ask(struct gang *all)
{
	const struct gang *targets = all->plan->targets;

	if (all->plan->deed == DEED_ASK_ABSENT)
		return pattern_at(all->dice++, 0);
	if (!targets)
		return all->siege->target_id;
	return targets->identities.all[all->dice++ % targets->identities.count]
		.id;
}

static void ask(struct link *link, const uint8_t *id)
{
	uint8_t message[FRAME_OPAQUE_SIZE];

	link_send(link, message,
		frame_write_connect(
			message, sizeof(message), id, IDENTITY_ID_LEN));
}

static void opened(struct link *link, void *arg)
{
	struct member *member = arg;
	struct gang *all = member->all;

	all->counts.opened++;
	switch (all->plan->deed) {
	case DEED_NOTHING:
		link_settled(link);
		all->counts.done++;
		break;
	case DEED_LEAVE:
		all->counts.done++;
		end(member);
		break;
	case DEED_WRONG_TOKEN:
		join_wrongly(link);
		break;
	case DEED_CHURN:
	case DEED_JOIN:
	case DEED_PING:
	case DEED_DEAF:
		link_join(link);
		break;
	case DEED_ASK_ABSENT:
	case DEED_ASK_DROP:
	case DEED_ASK_HALF:
	case DEED_ASK_RESET:
	case DEED_ASK_FILL:
		ask(link, whom_to_ask(all));
		break;
	}
}

static void invited(struct member *member, const uint8_t *body, size_t len)
{
	struct frame_invitation invitation;

	/* Accomplices accept any number of requests. */
	if (member->all->plan->deed == DEED_JOIN)
		return;
	if (frame_read_invitation(body, len, &invitation) ||
		member->all->plan->deed == DEED_ASK_DROP) {
		member->all->counts.done++;
		end(member);
		return;
	}
	link_destroy(member->link);
	member->link = NULL;
	half_start(&member->half, &invitation.key);
}

static void joined(struct member *member)
{
	member->joined = true;
	member->all->counts.done++;
	if (member->all->plan->deed == DEED_CHURN) {
		end(member);
		return;
	}
	link_settled(member->link);
	if (member->all->plan->deed == DEED_DEAF)
		link_deafen(member->link);
}

static void got_message(struct link *link, const struct frame_header *header,
	const uint8_t *body, void *arg)
{
	struct member *member = arg;
	struct frame_response response;

	(void)link;
	if (header->type == FRAME_INVITATION) {
		invited(member, body, header->length);
		return;
	}
	if (header->type == FRAME_PONG)
		return;
	if (header->type == FRAME_RESPONSE &&
		!frame_read_response(body, header->length, &response) &&
		response.code == FRAME_SUCCESS) {
		joined(member);
		return;
	}
	/* The expected answers to a wrong token and to an absent device. */
	if (member->all->plan->deed == DEED_WRONG_TOKEN ||
		member->all->plan->deed == DEED_ASK_ABSENT)
		member->all->counts.done++;
	else
		member->all->counts.refused++;
	end(member);
}

static void failed(struct link *link, enum failure why, void *arg)
{
	struct member *member = arg;

	(void)link;
	(void)why;
	member->all->counts.failed++;
	end(member);
}

/* Sends data to the waiting half until the relay takes no more. */
static void fill(int fd)
{
	int writes = 0;

	while (writes++ < 64 && send(fd, pattern_at(0, 0), 65536,
					MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
}

/* Sends a part of a TLS record; its receiver waits for the rest. */
static void begin_record(int fd)
{
	uint8_t part[PART_OF_RECORD] = {0x16, 3, 1, 0x40, 0};

	(void)send(fd, part, sizeof(part), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void fill_and_reset(struct member *member)
{
	const struct linger at_once = {.l_onoff = 1};
	int fd = half_take(&member->half);

	fill(fd);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void half_changed(struct half *half, enum failure why, void *arg)
{
	struct member *member = arg;

	if (why) {
		member->all->counts.failed++;
		end(member);
		return;
	}
	member->all->counts.done++;
	if (member->all->plan->deed == DEED_ASK_HALF)
		begin_record(half->fd);
	if (member->all->plan->deed == DEED_ASK_FILL)
		fill(half->fd);
	if (member->all->plan->deed == DEED_ASK_RESET) {
		fill_and_reset(member);
		end(member);
	}
}

static bool idle(const struct member *member)
{
	return !member->link && member->half.state == HALF_IDLE;
}

static void begin(struct member *member)
{
	static const struct link_handlers handlers = {
		opened, got_message, failed};
	struct gang *all = member->all;
	size_t next = all->next_identity++ % all->identities.count;

	all->counts.begun++;
	member->link =
		link_create(&all->siege->bench, &all->siege->bench.server,
			&all->identities.all[next], &handlers, member);
}

static bool pings(enum deed deed)
{
	return deed == DEED_PING || deed == DEED_DEAF;
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	struct gang *all = arg;
	const struct timeval next = {0, TICK_MS * 1000};
	const int64_t per_s = all->plan->per_s;

	(void)fd;
	(void)what;
	all->may_begin = per_s ? all->may_begin + (double)per_s * TICK_MS / 1000
			       : (double)all->plan->open;
	for (size_t i = 0; i < all->plan->open; i++) {
		struct member *member = &all->members[i];

		if (idle(member) && all->may_begin >= 1) {
			all->may_begin--;
			begin(member);
		} else if (pings(all->plan->deed) && member->joined) {
			all->counts.done += PINGS;
			link_send(member->link, all->pings, sizeof(all->pings));
		}
	}
	if (per_s && all->may_begin > (double)per_s / 10 + 1)
		all->may_begin =
			(double)per_s / 10 + 1; /* limits later bursts */
	evtimer_add(&all->tick, &next);
}

struct gang *gang_create(struct siege *siege, const struct gang_plan *plan)
{
	struct gang *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->siege = siege;
	all->plan = plan;
	evtimer_assign(&all->tick, siege->bench.base, tick, all);
	all->members = calloc(plan->open, sizeof(*all->members));
	if (!all->members ||
		identities_make(&all->identities, plan->identities, false)) {
		gang_destroy(all);
		return NULL;
	}
	for (size_t i = 0; i < plan->identities; i++)
		all->identities.all[i].more = plan->more;
	for (size_t i = 0; i < plan->open; i++) {
		all->members[i].all = all;
		half_init(&all->members[i].half, &siege->bench, half_changed,
			&all->members[i]);
	}
	for (size_t i = 0; i < PINGS; i++)
		frame_write_empty(all->pings + i * FRAME_EMPTY_SIZE,
			FRAME_EMPTY_SIZE, FRAME_PING);
	event_active(&all->tick, EV_TIMEOUT, 0);
	return all;
}

const struct gang_counts *gang_counts(const struct gang *gang)
{
	return &gang->counts;
}

void gang_destroy(struct gang *gang)
{
	if (!gang)
		return;
	event_del(&gang->tick);
	for (size_t i = 0; gang->members && i < gang->plan->open; i++)
		end(&gang->members[i]);
	free(gang->members);
	identities_finish(&gang->identities);
	free(gang);
}
