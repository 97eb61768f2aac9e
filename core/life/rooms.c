/* SPDX-License-Identifier: MPL-2.0 */

/* The rooms' state, made from the bottom to the top. */

#include <stddef.h>

#include "host/host_state.h"
#include "http/http.h"
#include "life/life_state.h"
#include "life/rooms.h"
#include "log/log.h"
#include "loop/heap_trim.h"
#include "metrics/metrics.h"
#include "modules/modules.h"
#include "net/net_state.h"
#include "peers/peers_shared.h"
#include "tls/tls_state.h"
#include "workers/workers_state.h"

/* In the order of struct instance.  create() sets the room's pointer in
 * `instance`; destroy() frees what it points to, and accepts NULL. */
static const struct room {
	int (*create)(void);
	void (*destroy)(void);
} rooms[] = {
	{log_create, log_destroy},
	{heap_trim_create, heap_trim_destroy},
	{metrics_create, metrics_destroy},
	{tls_create, tls_destroy},
	{modules_create, modules_destroy},
	{net_create, net_destroy},
	{workers_state_create, workers_state_destroy},
	{peers_shared_create, peers_shared_destroy},
	{http_create, http_destroy},
	{host_create, host_destroy},
	{life_create, life_destroy},
};

#define ROOMS (sizeof(rooms) / sizeof(rooms[0]))

int rooms_create(void)
{
	for (size_t i = 0; i < ROOMS; i++) {
		if (rooms[i].create() == 0)
			continue;
		rooms_destroy();
		return -1;
	}
	return 0;
}

void rooms_destroy(void)
{
	for (size_t i = ROOMS; i-- > 0;)
		rooms[i].destroy();
}
