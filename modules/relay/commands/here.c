/* SPDX-License-Identifier: MPL-2.0 */

/* Finds a device by the beginning of its ID, and ends what it has. */

#include <stdlib.h>
#include <string.h>

#include "relay/commands/gather.h"
#include "relay/commands/here.h"
#include "relay/data.h"
#include "relay/devices/device.h"
#include "relay/devices_service.h"
#include "relay/requests/pending.h"
#include "relay/sessions/waiting_half.h"

static void on_worker(struct relay_ctx *cx, const void *arg)
{
	const struct target *target = arg;
	const struct place place = {
		.worker = cx->worker, .conn = target->number};
	struct relay_conn *conn =
		device_find(cx, target->id, place, PEER_JOINED);

	if (conn) {
		peer_log(cx, conn, "ended by a command");
		peer_close(cx, conn, RELAY_END_DENIED);
	}
}

static void on_session(
	struct relay_ctx *cx, struct relay_session *session, const void *arg)
{
	(void)cx;
	(void)arg;
	if (session)
		relay_session_close(session, RELAY_END_DENIED);
}

unsigned here_end_session(struct relay_ctx *cx, uint64_t session)
{
	return relay_session_post(cx, session, on_session, NULL, 0) == 0;
}

struct count {
	struct relay_ctx *cx;
	unsigned ended;
};

static void end_session(uint64_t session, void *arg)
{
	struct count *count = arg;

	count->ended += here_end_session(count->cx, session);
}

void here_withdraw(struct relay_ctx *cx, const uint8_t id[ID_LEN])
{
	struct place lost[PENDING_WITHDRAW_MOST];
	unsigned count;

	do {
		count = pending_withdraw(
			&data_of(cx)->pending, id, relay_now_ms(cx), lost);
		for (unsigned i = 0; i < count; i++)
			waiting_half_close(cx, lost[i]);
	} while (count == PENDING_WITHDRAW_MOST);
}

/* Sessions first: a device that is here may keep those that it has begun. */
unsigned here_end(struct relay_ctx *cx, const uint8_t id[ID_LEN])
{
	struct directory *dir = &data_of(cx)->directory;
	struct count count = {.cx = cx};
	struct target target = {.worker = 0};
	struct place owner;

	here_withdraw(cx, id);
	directory_each_session(dir, id, end_session, &count);
	if (!directory_find(dir, id, &owner))
		return count.ended;
	target.number = owner.conn;
	memcpy(target.id, id, ID_LEN);
	return count.ended + (relay_post(cx, owner.worker, on_worker, &target,
				      sizeof(target)) == 0);
}

struct ids {
	uint8_t (*id)[ID_LEN];
	size_t count;
};

static void note(struct ids *ids, const uint8_t *id)
{
	memcpy(ids->id[ids->count++], id, ID_LEN);
}

static void note_device(const uint8_t *id, struct place owner, void *arg)
{
	(void)owner;
	note(arg, id);
}

static void note_part(const struct part *part, void *arg)
{
	note(arg, directory_part_id(part));
}

/* Writing an ID takes microseconds: not under the lock of the directory. */
int here_find(struct relay_ctx *cx, const char *text, uint8_t out[ID_LEN],
	struct relay_err *err)
{
	struct directory *dir = &data_of(cx)->directory;
	size_t room = directory_size(dir) + 1;
	struct ids ids = {.id = calloc(room, ID_LEN)};
	const uint8_t *one = NULL;
	unsigned others = 0;

	if (!ids.id)
		return relay_fail(err, "out of memory");
	directory_each(dir, room, note_device, note_part, &ids);
	for (size_t i = 0; i < ids.count; i++)
		found_id(ids.id[i], text, &one, &others);
	if (one && !others)
		memcpy(out, one, ID_LEN);
	else
		fail_id(one != NULL, text, err);
	free(ids.id);
	return one && !others ? 0 : -1;
}

static const struct relay_devices_service service = {
	.find = here_find, .end = here_end, .withdraw = here_withdraw};

int here_init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_service_publish(cx, RELAY_DEVICES_SERVICE,
		       RELAY_DEVICES_SERVICE_VERSION, &service) == 0
		       ? 0
		       : relay_fail(err, "the service " RELAY_DEVICES_SERVICE
					 " is taken");
}
