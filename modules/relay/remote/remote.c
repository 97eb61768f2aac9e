/* SPDX-License-Identifier: MPL-2.0 */

/* The service for other relays. */

#include <stdlib.h>
#include <string.h>

#include "relay/data.h"
#include "relay/remote/remote.h"
#include "relay/remote/remote_answer.h"
#include "relay/remote/remote_ask.h"
#include "relay/remote/remote_probe.h"
#include "relay/remote/remote_told.h"

static int invite(struct relay_ctx *self, struct relay_ctx *to,
	relay_post_fn *answered, const struct remote_ask *ask)
{
	struct remote_to address;

	return remote_answer_to(self, to, answered, &address) == 0
		       ? remote_ask_begin(self, &address, ask, NULL)
		       : -1;
}

static int invite_elsewhere(struct relay_ctx *self, struct relay_ctx *to,
	relay_post_fn *answered, const struct remote_ask *ask,
	const struct relay_found found[2])
{
	struct remote_to address;

	return remote_answer_to(self, to, answered, &address) == 0
		       ? remote_ask_begin(self, &address, ask, found)
		       : -1;
}

static int probe(struct relay_ctx *self, struct relay_ctx *to,
	relay_post_fn *probed, const struct remote_conn *conn)
{
	struct remote_to address;

	return remote_answer_to(self, to, probed, &address) == 0
		       ? remote_probe_begin(self, &address, conn)
		       : -1;
}

struct list {
	struct remote_conn *conns;
	size_t count;
};

static void note(const uint8_t *id, struct place owner, void *arg)
{
	struct list *list = arg;
	struct remote_conn *conn = &list->conns[list->count++];

	*conn = (struct remote_conn){
		.worker = owner.worker, .conn = owner.conn, .alive = true};
	memcpy(conn->id, id, ID_LEN);
}

/* A copy, because all workers would wait for what fn does. */
static int each(struct relay_ctx *self,
	void (*fn)(const struct remote_conn *conn, void *arg), void *arg)
{
	struct directory *dir = &data_of(self)->directory;
	size_t room = directory_size(dir) + 1024; /* some may come meanwhile */
	struct list list = {.conns = calloc(room, sizeof(*list.conns))};

	if (!list.conns)
		return -1;
	directory_each(dir, room, note, NULL, &list);
	for (size_t i = 0; i < list.count; i++)
		fn(&list.conns[i], arg);
	free(list.conns);
	return 0;
}

static void expect(struct relay_ctx *self, const uint8_t id[ID_LEN])
{
	parking_expect(&data_of(self)->parking, id, relay_now_ms(self));
}

static const struct relay_remote_service service = {
	.watch = remote_answer_watch,
	.unwatch = remote_answer_unwatch,
	.invite = invite,
	.invite_elsewhere = invite_elsewhere,
	.prepare = remote_prepare,
	.probe = probe,
	.end = remote_conn_end,
	.each = each,
	.expect = expect,
	.lost = remote_answers_lost,
	.told = remote_told,
};

int remote_init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_service_publish(cx, RELAY_REMOTE_SERVICE,
		       RELAY_REMOTE_SERVICE_VERSION, &service) == 0
		       ? 0
		       : relay_fail(err, "the service " RELAY_REMOTE_SERVICE
					 " is taken");
}
