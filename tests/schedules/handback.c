/* SPDX-License-Identifier: MPL-2.0 */

/* Connections that a server hands to another one. */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/instance.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "peers/conn_import.h"

#include "handback.h"
#include "relay.h"
#include "sim.h"

#define CHANNEL   900 /* no descriptor has this number */
#define UNDER_WAY 256

static struct handed {
	int fd;
	size_t len;
	unsigned char read[CONN_IMPORT_DATA_MAX];
} handed[UNDER_WAY];
static unsigned first, count;

/* What is left to the new server of what it has handed back. */
static struct sim_tcp *ghosts[UNDER_WAY];
static unsigned ghost_count;

int __wrap_handover_send(int channel, enum handover_word word, const void *data,
	size_t len, int fd);
int __wrap_handover_send(int channel, enum handover_word word, const void *data,
	size_t len, int fd)
{
	struct sim_file *file = sim_file(fd);
	struct handed *one = &handed[(first + count) % UNDER_WAY];
	struct sim_tcp *tcp;

	if (channel != CHANNEL || word != HANDOVER_CONN || !file)
		sim_die("another message than that of a connection");
	if (count == UNDER_WAY || ghost_count == UNDER_WAY ||
		len > sizeof(one->read))
		sim_die("too much is handed back");
	tcp = file->tcp;
	file->tcp = sim_alloc(sizeof(*tcp));
	file->tcp->fd = fd;
	ghosts[ghost_count++] = file->tcp;
	one->fd = tcp->fd = sim_file_new(SIM_TCP, tcp);
	one->len = len;
	memcpy(one->read, data, len);
	count++;
	return 0;
}

void handback_open(bool open)
{
	relay_choose(NEW);
	atomic_store(&instance->life->takeover.hand_back_channel,
		open ? CHANNEL : -1);
	relay_choose(OLD);
}

bool handback_turn(void)
{
	const struct handed *one = &handed[first];

	if (!count)
		return false;
	relay_choose(OLD);
	conn_import(one->fd, one->read, one->len);
	first = (first + 1) % UNDER_WAY;
	count--;
	return true;
}

void handback_check_rest(void)
{
	for (unsigned i = 0; i < ghost_count; i++)
		if (!ghosts[i]->server_gone)
			sim_die("a process keeps a connection that it has "
				"handed back");
}

void handback_check_end(void)
{
	if (count)
		sim_die("%u connections are on their way back", count);
	handback_check_rest();
	while (ghost_count > 0)
		sim_tcp_free(ghosts[--ghost_count]);
}
