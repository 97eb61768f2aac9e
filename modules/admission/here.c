/* SPDX-License-Identifier: MPL-2.0 */

/* The devices that are here by an answer. */

#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "here.h"

static struct data *data_of(const struct relay_ctx *cx)
{
	return cx->data;
}

struct device *here_find(const struct here *here, const uint8_t *id)
{
	struct device *device;

	HASH_FIND(hh, here->all, id, ID_LEN, device);
	return device;
}

static struct device *add(
	struct here *here, const uint8_t *id, int64_t again_ms)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	memcpy(device->id, id, ID_LEN);
	device->again_ms = again_ms;
	HASH_ADD_KEYPTR(hh, here->all, device->id, ID_LEN, device);
	if (device->hh.tbl)
		return device;
	free(device); /* uthash did not add it: out of memory */
	return NULL;
}

void here_remove(struct here *here, struct device *device)
{
	HASH_DEL(here->all, device);
	free(device);
}

void here_allow(struct device *device, const struct question *question,
	const struct answer *answer, int64_t now_ms)
{
	question_again(&device->question, question);
	device->answer = *answer;
	device->answered = true;
	/* An answer for this once is no reason to ask every second. */
	device->again_ms =
		answer->keep_ms ? now_ms + answer->keep_ms : INT64_MAX;
	atomic_store(&device->denied, false);
}

int here_enter(struct relay_ctx *cx, const struct relay_conn *conn)
{
	struct data *data = data_of(cx);
	const struct conf *conf = cx->conf;
	struct member *member = relay_conn_data(cx, conn);
	const uint8_t *id = relay_conn_peer(conn);
	struct device *device;

	here_leave(cx, conn);
	pthread_mutex_lock(&data->lock);
	device = here_find(&data->here, id);
	if (!device)
		device = add(
			&data->here, id, relay_now_ms(cx) + conf->breaker_ms);
	if (device) {
		device->connections++;
		device->holders++;
		device->withdrawn = false;
	}
	pthread_mutex_unlock(&data->lock);
	member->device = device;
	return device ? 0 : -1;
}

void here_leave(struct relay_ctx *cx, const struct relay_conn *conn)
{
	struct data *data = data_of(cx);
	struct member *member = relay_conn_data(cx, conn);

	if (!member || !member->device)
		return;
	pthread_mutex_lock(&data->lock);
	member->device->connections--;
	member->device->holders--;
	pthread_mutex_unlock(&data->lock);
	member->device = NULL;
}

/* Of the connections that ask to join, those that have joined. */
void here_settled(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct data *data = data_of(cx);
	struct member *member = relay_conn_data(cx, conn);

	if (!member)
		return;
	member->ticket = 0;
	if (!member->device)
		return;
	pthread_mutex_lock(&data->lock);
	member->device->joined = true;
	pthread_mutex_unlock(&data->lock);
}

/* Without an answer it may be denied yet. */
bool here_owes(const struct device *device)
{
	return device->joined &&
	       (!device->answered || answer_has_terms(&device->answer) ||
		       atomic_load(&device->denied));
}

const char *here_barred(struct relay_ctx *cx, const uint8_t *id)
{
	struct data *data = data_of(cx);
	const struct device *device;
	const char *why = NULL;

	pthread_mutex_lock(&data->lock);
	device = here_find(&data->here, id);
	if (device && (device->holders > 0 || device->joined)) {
		if (atomic_load(&device->denied))
			why = "denied";
		else if (atomic_load(&device->used_up))
			why = "quota";
	}
	pthread_mutex_unlock(&data->lock);
	return why;
}

void here_session(struct relay_ctx *cx, struct relay_session *session)
{
	struct data *data = data_of(cx);
	struct session_devices *devices = relay_session_data(cx, session);
	bool any = false;

	pthread_mutex_lock(&data->lock);
	for (int side = 0; devices && data->here.all && side < 2; side++) {
		const uint8_t *id =
			relay_conn_peer(relay_session_side(session, side));
		struct device *device = id ? here_find(&data->here, id) : NULL;

		if (!device)
			continue;
		device->holders++;
		devices->of[side] = device;
		devices->counts[side] = device->answer.quota > 0;
		any |= devices->counts[side];
	}
	pthread_mutex_unlock(&data->lock);
	if (any)
		relay_session_hooks(cx, true);
}

void here_session_enter(struct relay_ctx *cx, struct relay_session *session)
{
	const struct session_devices *devices = relay_session_data(cx, session);

	if (devices && (devices->counts[0] || devices->counts[1]))
		relay_session_hooks(cx, true);
}

void here_session_sent(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len)
{
	struct session_devices *devices = relay_session_data(cx, session);

	(void)from;
	for (int side = 0; devices && side < 2; side++)
		if (devices->counts[side])
			atomic_fetch_add_explicit(&devices->of[side]->bytes,
				(int64_t)len, memory_order_relaxed);
}

void here_session_close(struct relay_ctx *cx, struct relay_session *session)
{
	struct data *data = data_of(cx);
	struct session_devices *devices = relay_session_data(cx, session);

	if (!devices || (!devices->of[0] && !devices->of[1]))
		return;
	pthread_mutex_lock(&data->lock);
	for (int side = 0; side < 2; side++)
		if (devices->of[side])
			devices->of[side]->holders--;
	pthread_mutex_unlock(&data->lock);
	*devices = (struct session_devices){.of = {NULL}};
}
