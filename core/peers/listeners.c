/* SPDX-License-Identifier: MPL-2.0 */

/* Reports, pauses and closes the addresses that the server listens on. */

#include <strelaysrv/server.h>

#include "base/address.h"
#include "peers/listen_set.h"
#include "peers/listen_address.h"
#include "peers/listener.h"
#include "peers/listeners.h"
#include "peers/listeners_change.h"
#include "peers/peers_shared.h"

int relay_listen_address(unsigned i, struct sockaddr_storage *out)
{
	struct peers_shared *room = peers_shared();
	const struct listen_set *set = room->staged ? &room->next : &room->now;
	const struct listen_address *one = listen_set_told(set, i);

	if (!one)
		return -1;
	*out = one->bound.addr;
	address_unmap(out);
	return 0;
}

const char *relay_listen_text(void)
{
	struct peers_shared *room = peers_shared();

	return room->staged ? room->next.text : room->now.text;
}

static int close_one(struct listener *listener)
{
	listener_close(listener);
	return 0;
}

void listeners_close(struct worker *worker)
{
	struct peers_shared *room = peers_shared();

	(void)listen_set_each(&room->now, worker, close_one);
	(void)listen_set_each(&room->next, worker, close_one);
	(void)listen_set_each(&room->rest, worker, close_one);
}

static int pause_one(struct listener *listener)
{
	listener_pause(listener);
	return 0;
}

void listeners_pause(struct worker *worker)
{
	struct peers_shared *room = peers_shared();

	(void)listen_set_each(&room->now, worker, pause_one);
	(void)listen_set_each(&room->rest, worker, pause_one);
}

int listeners_resume(struct worker *worker)
{
	struct peers_shared *room = peers_shared();

	return listen_set_each(&room->now, worker, listener_resume) |
	       listen_set_each(&room->rest, worker, listener_resume);
}

int listeners_each(listeners_socket_fn *fn, void *arg)
{
	struct peers_shared *room = peers_shared();

	for (unsigned i = 0; i < room->now.count; i++)
		for (unsigned k = 0; k < room->now.all[i]->count; k++)
			if (room->now.all[i]->at[k].fd >= 0 &&
				fn(INHERITED_RELAY, room->now.all[i]->at[k].fd,
					arg))
				return -1;
	return 0;
}

void listeners_finish(void)
{
	struct peers_shared *room = peers_shared();

	listeners_abandon();
	listen_set_free(&room->now);
	listen_set_free(&room->rest);
}
