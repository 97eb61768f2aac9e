/* SPDX-License-Identifier: MPL-2.0 */

/* Session set-ups, `parallel` at a time. */

#include <stdlib.h>
#include <string.h>

#include "guests.h"
#include "half.h"
#include "identity.h"
#include "link.h"
#include "meetings.h"
#include "meter.h"

enum side { CLIENT, SERVER, SIDES };

/* Invitations that wait for a stranger to leave; later ones are ignored. */
#define WAITING 64

struct waiting {
	uint8_t from[FRAME_OPAQUE_MAX], key[FRAME_OPAQUE_MAX];
	size_t from_len, key_len;
};

struct meetings;

/*
 * One running set-up.  The invitation to the device contains the requester's
 * ID, so each slot has its own identity.
 */
struct slot {
	struct meetings *all;
	const struct identity *identity; /* borrowed */
	struct link *asking;
	struct half halves[SIDES];
	struct event patience;
	struct event next; /* restarts from the loop, not from a handler */
	bool invited[SIDES];
	uint8_t client_key[FRAME_OPAQUE_MAX];
	size_t client_key_len;
	int64_t begin_ns;
};

struct meetings {
	struct bench *bench;
	const struct meetings_plan *plan; /* borrowed */
	struct identities
		identities; /* those of the slots, then that of the device */
	struct link *device;
	struct guests *guests; /* NULL: no strangers request the device */
	struct waiting waiting[WAITING]; /* a ring */
	size_t first_waiting, count_waiting;
	bool joined;
	struct slot *slots;
	size_t started, failed, met;
};

static const struct identity *device_identity(const struct meetings *m)
{
	return &m->identities.all[m->plan->parallel];
}

static void clear(struct slot *slot)
{
	event_del(&slot->patience);
	link_destroy(slot->asking);
	slot->asking = NULL;
	for (int side = 0; side < SIDES; side++) {
		half_reset(&slot->halves[side]);
		slot->invited[side] = false;
	}
}

static void schedule(struct slot *slot, int64_t ms)
{
	const struct timeval pause = {
		(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	evtimer_add(&slot->next, &pause);
}

static void end(struct slot *slot)
{
	struct meetings *m = slot->all;

	clear(slot);
	if (m->met == m->plan->enough || m->met + m->failed == m->plan->count)
		bench_stop(m->bench);
	else
		schedule(slot, m->plan->pause_ms);
}

static void fail(struct slot *slot, enum failure why)
{
	tally_add(&slot->all->bench->tally, why);
	slot->all->failed++;
	end(slot);
}

/* The requesting side, whose key is in the slot. */
static void start_client(struct slot *slot)
{
	const struct frame_bytes key = {slot->client_key, slot->client_key_len};

	bench_stand(slot->all->bench, BENCH_CLIENT);
	half_start(&slot->halves[CLIENT], &key);
}

static void both_joined(struct slot *slot)
{
	half_greet(&slot->halves[SERVER]);
	/* Unless that side and its slot have failed. */
	if (slot->halves[CLIENT].state == HALF_JOINED)
		half_greet(&slot->halves[CLIENT]);
}

static void both_met(struct slot *slot)
{
	const struct meetings_plan *plan = slot->all->plan;
	int64_t took_ns = meter_now_ns() - slot->begin_ns;
	int client = half_take(&slot->halves[CLIENT]);
	int server = half_take(&slot->halves[SERVER]);

	slot->all->met++;
	plan->met(client, server, took_ns, plan->arg);
	end(slot);
}

static void half_changed(struct half *half, enum failure why, void *arg)
{
	struct slot *slot = arg;
	const struct half *client = &slot->halves[CLIENT];
	const struct half *server = &slot->halves[SERVER];

	if (why)
		fail(slot, why);
	else if (client->state == HALF_MET && server->state == HALF_MET)
		both_met(slot);
	else if (slot->all->plan->as_syncthing && half->state == HALF_JOINED)
		half_greet(half);
	else if (client->state == HALF_JOINED && server->state == HALF_JOINED)
		both_joined(slot);
	else if (half == server && client->state == HALF_IDLE &&
		 slot->invited[CLIENT])
		start_client(slot);
}

/* The device's or the requester's invitation; either may arrive first. */
static void invited(struct slot *slot, enum side side,
	const struct frame_invitation *invitation)
{
	slot->invited[side] = true;
	if (side == SERVER) {
		bench_stand(slot->all->bench, BENCH_SERVER);
		half_start(&slot->halves[SERVER], &invitation->key);
		if (slot->invited[CLIENT] && slot->all->plan->both_at_once)
			start_client(slot);
		return;
	}
	link_destroy(slot->asking);
	slot->asking = NULL;
	memcpy(slot->client_key, invitation->key.data, invitation->key.len);
	slot->client_key_len = invitation->key.len;
	if (slot->all->plan->as_syncthing ||
		slot->halves[SERVER].state >= HALF_JOINED ||
		(slot->invited[SERVER] && slot->all->plan->both_at_once))
		start_client(slot);
}

static void asking_opened(struct link *link, void *arg)
{
	struct slot *slot = arg;
	uint8_t message[FRAME_OPAQUE_SIZE];

	link_send(link, message,
		frame_write_connect(message, sizeof(message),
			device_identity(slot->all)->id, IDENTITY_ID_LEN));
}

/* The failure for a message other than the awaited one. */
static enum failure failure_of_message(
	const struct frame_header *header, const uint8_t *body)
{
	struct frame_response response;
	enum failure why;

	if (header->type == FRAME_RELAY_FULL)
		return FAILURE_RELAY_FULL;
	if (header->type != FRAME_RESPONSE ||
		frame_read_response(body, header->length, &response))
		return FAILURE_PROTOCOL;
	why = failure_of_code(response.code);
	return why ? why : FAILURE_PROTOCOL;
}

static void asking_message(struct link *link, const struct frame_header *header,
	const uint8_t *body, void *arg)
{
	struct frame_invitation invitation;

	(void)link;
	if (header->type != FRAME_INVITATION)
		fail(arg, failure_of_message(header, body));
	else if (frame_read_invitation(body, header->length, &invitation))
		fail(arg, FAILURE_PROTOCOL);
	else
		invited(arg, CLIENT, &invitation);
}

static void asking_failed(struct link *link, enum failure why, void *arg)
{
	(void)link;
	fail(arg, why);
}

static void begin(evutil_socket_t fd, short what, void *arg)
{
	static const struct link_handlers handlers = {
		asking_opened, asking_message, asking_failed};
	struct slot *slot = arg;
	struct meetings *m = slot->all;

	(void)fd;
	(void)what;
	/* Never start more than are still needed. */
	if (m->started == m->plan->count ||
		m->started - m->failed == m->plan->enough)
		return;
	if (m->plan->may_begin && !m->plan->may_begin(m->plan->arg))
		return;
	m->started++;
	slot->begin_ns = meter_now_ns();
	evtimer_add(&slot->patience, m->bench->patience);
	bench_stand(m->bench, BENCH_CLIENT);
	slot->asking = link_create(
		m->bench, &m->bench->asked, slot->identity, &handlers, slot);
	if (!slot->asking) { /* counted already */
		m->failed++;
		end(slot);
	}
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fail(arg, FAILURE_TIMEOUT);
}

static struct slot *find_slot(
	const struct meetings *m, const struct frame_bytes *id)
{
	for (size_t i = 0; i < m->plan->parallel; i++) {
		if (id->len == IDENTITY_ID_LEN &&
			memcmp(id->data, m->slots[i].identity->id, id->len) ==
				0)
			return &m->slots[i];
	}
	return NULL;
}

static void device_joined(struct meetings *m)
{
	m->joined = true;
	link_settled(m->device);
	m->plan->begun(device_identity(m)->id, m->plan->arg);
	/* Spread over the pause, so that they do not start together. */
	for (size_t i = 0; i < m->plan->parallel; i++)
		schedule(&m->slots[i], (int64_t)i * m->plan->pause_ms /
					       (int64_t)m->plan->parallel);
}

static void device_failed(struct link *link, enum failure why, void *arg)
{
	struct meetings *m = arg;

	tally_add(&m->bench->tally, why);
	link_destroy(link);
	m->device = NULL;
	bench_stop(m->bench);
}

/* Ignores an invitation for a slot that has given up meanwhile. */
static void take(struct meetings *m, const struct frame_invitation *invitation)
{
	struct slot *slot = find_slot(m, &invitation->from);

	if (!slot) {
		if (m->guests)
			guests_take(m->guests, &invitation->key);
		else
			tally_add(&m->bench->tally, FAILURE_PROTOCOL);
		return;
	}
	if (slot->halves[SERVER].state == HALF_IDLE &&
		(slot->asking || slot->invited[CLIENT]))
		invited(slot, SERVER, invitation);
}

static void put_off(
	struct meetings *m, const struct frame_invitation *invitation)
{
	size_t at = (m->first_waiting + m->count_waiting) % WAITING;
	struct waiting *waiting = &m->waiting[at];

	if (m->count_waiting == WAITING)
		return;
	m->count_waiting++;
	memcpy(waiting->from, invitation->from.data, invitation->from.len);
	waiting->from_len = invitation->from.len;
	memcpy(waiting->key, invitation->key.data, invitation->key.len);
	waiting->key_len = invitation->key.len;
}

static void device_invited(
	struct meetings *m, const struct frame_invitation *invitation)
{
	if (m->guests && guests_busy(m->guests))
		put_off(m, invitation);
	else
		take(m, invitation);
}

static void guest_gone(void *arg)
{
	struct meetings *m = arg;

	while (m->count_waiting && !guests_busy(m->guests)) {
		const struct waiting *next = &m->waiting[m->first_waiting];
		const struct frame_invitation invitation = {
			.from = {next->from, next->from_len},
			.key = {next->key, next->key_len}};

		m->first_waiting = (m->first_waiting + 1) % WAITING;
		m->count_waiting--;
		take(m, &invitation);
	}
}

static void device_message(struct link *link, const struct frame_header *header,
	const uint8_t *body, void *arg)
{
	struct meetings *m = arg;
	struct frame_invitation invitation;
	struct frame_response response;

	if (header->type == FRAME_INVITATION &&
		!frame_read_invitation(body, header->length, &invitation))
		device_invited(m, &invitation);
	else if (header->type == FRAME_RESPONSE && !m->joined &&
		 !frame_read_response(body, header->length, &response) &&
		 response.code == FRAME_SUCCESS)
		device_joined(m);
	else
		device_failed(link, failure_of_message(header, body), m);
}

static void device_opened(struct link *link, void *arg)
{
	(void)arg;
	link_join(link);
}

static int prepare(struct meetings *m)
{
	size_t parallel = m->plan->parallel;

	if (identities_make(
		    &m->identities, parallel + 1, m->bench->settings->p384))
		return -1;
	m->slots = calloc(parallel, sizeof(*m->slots));
	if (!m->slots)
		return -1;
	for (size_t i = 0; i < parallel; i++) {
		struct slot *slot = &m->slots[i];

		slot->all = m;
		slot->identity = &m->identities.all[i];
		for (int side = 0; side < SIDES; side++)
			half_init(&slot->halves[side], m->bench, half_changed,
				slot);
		evtimer_assign(
			&slot->patience, m->bench->base, out_of_patience, slot);
		evtimer_assign(&slot->next, m->bench->base, begin, slot);
	}
	return 0;
}

void meetings_destroy(struct meetings *m)
{
	if (!m)
		return;
	for (size_t i = 0; m->slots && i < m->plan->parallel; i++) {
		clear(&m->slots[i]);
		event_del(&m->slots[i].next);
	}
	link_destroy(m->device);
	guests_destroy(m->guests);
	free(m->slots);
	identities_finish(&m->identities);
	free(m);
}

struct meetings *meetings_run(
	struct bench *bench, const struct meetings_plan *plan)
{
	static const struct link_handlers handlers = {
		device_opened, device_message, device_failed};
	struct meetings *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->bench = bench;
	m->plan = plan;
	if (plan->open_house)
		m->guests = guests_create(bench, guest_gone, m);
	if (prepare(m) || (plan->open_house && !m->guests)) {
		tally_add(&bench->tally, FAILURE_LOCAL);
	} else {
		bench_stand(bench, BENCH_SERVER);
		m->device = link_create(bench, &bench->server,
			device_identity(m), &handlers, m);
		if (m->device)
			bench_run(bench);
	}
	if (m->joined)
		return m;
	meetings_destroy(m);
	return NULL;
}
