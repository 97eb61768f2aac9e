/* SPDX-License-Identifier: MPL-2.0 */

/* Tells those who follow what happens on the workers. */

#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "relay/events.h"
#include "relay/metrics_table.h"
#include "relay/sessions/session_data.h"

/* Of each worker: a flood of strangers must not hold up the control thread. */
#define EVENTS_PER_S 1000

bool events_follow(struct relay_ctx *cx, struct follower *follower)
{
	struct events *events = &data_of(cx)->events;

	if (atomic_load(&events->followed) >= FOLLOWERS_MAX)
		return false;
	DL_APPEND(events->followers, follower);
	atomic_fetch_add(&events->followed, 1);
	return true;
}

void events_unfollow(struct relay_ctx *cx, struct follower *follower)
{
	struct events *events = &data_of(cx)->events;

	DL_DELETE(events->followers, follower);
	atomic_fetch_sub(&events->followed, 1);
}

static void on_event(struct relay_ctx *cx, const void *arg)
{
	for (struct follower *follower = data_of(cx)->events.followers;
		follower; follower = follower->next)
		follower->event(follower, arg);
}

static void tell(struct relay_ctx *cx, struct event *event)
{
	struct event_pace *pace =
		&((struct relay_local *)cx->local)->event_pace;
	int64_t second = relay_now_ms(cx) / 1000;

	if (pace->second != second) {
		pace->second = second;
		pace->count = 0;
	}
	event->wall_us = relay_wall_us();
	event->lost = pace->lost;
	if (pace->count >= EVENTS_PER_S ||
		relay_post(cx, RELAY_CONTROL, on_event, event,
			sizeof(*event)) != 0) {
		pace->lost++;
		count(cx, METRIC_EVENTS_LOST, 0);
		return;
	}
	pace->count++;
	pace->lost = 0;
}

static void set_texts(struct event *event, const char *what, const char *detail)
{
	(void)snprintf(event->what, sizeof(event->what), "%s", what);
	(void)snprintf(event->detail, sizeof(event->detail), "%s",
		detail ? detail : "");
}

static void set_id(struct event *event, int side, const uint8_t *id)
{
	event->has_id[side] = id != NULL;
	if (id)
		memcpy(event->id[side], id, ID_LEN);
}

void events_conn(struct relay_ctx *cx, const struct relay_conn *conn,
	const char *what, const char *detail, const uint8_t *target)
{
	struct event event = {.is_session = false};

	set_texts(&event, what, detail);
	set_id(&event, 0, relay_conn_peer(conn));
	set_id(&event, 1, target);
	(void)relay_conn_addr_text(conn, event.address[0]);
	tell(cx, &event);
}

void events_elsewhere(struct relay_ctx *cx, const uint8_t *id,
	const char *address, const char *what, const char *detail,
	const uint8_t *target)
{
	struct event event = {.is_session = false};

	set_texts(&event, what, detail);
	set_id(&event, 0, id);
	set_id(&event, 1, target);
	(void)snprintf(
		event.address[0], sizeof(event.address[0]), "%s", address);
	tell(cx, &event);
}

void events_session(struct relay_ctx *cx, const struct relay_session *session,
	const char *what, const char *detail)
{
	const struct session_data *kept = relay_session_data(cx, session);
	struct event event = {.is_session = true,
		.worker = kept->place.worker,
		.session = relay_session_id(session)};

	set_texts(&event, what, detail);
	for (int side = 0; side < 2; side++) {
		const struct relay_conn *conn =
			relay_session_side(session, side);

		set_id(&event, side, relay_conn_peer(conn));
		(void)relay_conn_addr_text(conn, event.address[side]);
		event.bytes[side] =
			(int64_t)relay_session_passed(session, side);
	}
	tell(cx, &event);
}
