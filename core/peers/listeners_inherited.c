/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Inherited sockets whose addresses are not configured: the connections in
 * their queues are accepted before they are closed.
 */

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/inherited.h"
#include "peers/listen_set.h"
#include "peers/listen_address.h"
#include "peers/listener_facts.h"
#include "peers/listeners_inherited.h"
#include "peers/peers_shared.h"
#include "workers/workers.h"

static int add_one(int fd)
{
	struct peers_shared *room = peers_shared();
	struct listen_place place = {.len = sizeof(place.addr)};
	const struct core_listener strict = {
		.name = "", .guarded = true, .protocol = ""};
	struct listen_address **all = reallocarray(
		room->rest.all, room->rest.count + 1, sizeof(*all));

	if (!all)
		return -1;
	room->rest.all = all;
	if (getsockname(fd, (struct sockaddr *)&place.addr, &place.len) != 0)
		return -1;
	all[room->rest.count] = listen_address_make(&place, 0);
	if (!all[room->rest.count])
		return -1;
	room->rest.count++;
	/* Its options are not known any more: whoever came in there may have
	 * come to a private listener. */
	if (listen_address_tell(all[room->rest.count - 1], NULL,
		    listen_set_any_private(&room->next) ? &strict : NULL,
		    NULL) != 0)
		return -1;
	return listen_address_add(all[room->rest.count - 1], fd);
}

void listeners_adopt_inherited(void)
{
	int fd = inherited_take_any(INHERITED_RELAY);

	for (; fd >= 0; fd = inherited_take_any(INHERITED_RELAY))
		if (add_one(fd) != 0)
			close(fd);
}

static int drain_here(struct worker *worker, void *arg)
{
	struct peers_shared *room = peers_shared();

	(void)arg;
	return listen_set_each(&room->rest, worker, listener_drain);
}

void listeners_drain_inherited(void)
{
	struct peers_shared *room = peers_shared();

	if (room->rest.count == 0)
		return;
	(void)workers_call(drain_here, NULL);
	listen_set_log(&room->rest, false, false, "no longer listening on");
	listen_set_free(&room->rest);
}
