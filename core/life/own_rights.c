/* SPDX-License-Identifier: MPL-2.0 */

#include <stdbool.h>

#include "base/rights.h"
#include "config/config.h"
#include "host/check_user.h"
#include "http/http.h"
#include "life/life_state.h"
#include "life/own_rights.h"
#include "life/sandbox_start.h"
#include "life/start_watch.h"
#include "tls/tls_start.h"

int own_rights_prepare(struct server_shared *server, char *const argv[],
	const struct config *config, struct relay_err *err)
{
	const struct core_conf *core = config_core(config);

	if (rights_find(core->user, core->group, &server->rights, err) != 0 ||
		rights_check(&server->rights, err) != 0 ||
		rights_limit_dumps(core->core_dumps, err) != 0)
		return -1;
	sandbox_start_prepare(server, argv, config);
	return 0;
}

int own_rights_drop(struct server_shared *server, char *const argv[],
	const struct config *config, struct relay_err *err)
{
	const struct core_conf *core = config_core(config);
	bool change = rights_will_change(&server->rights);

	/* Capabilities belong to a thread: no other one may run. */
	if (rights_will_lessen(&server->rights)) {
		tls_start_join();
		http_reserve();
	}
	start_watch_end();
	if (rights_drop(&server->rights, core->core_dumps, err) != 0)
		return -1;
	rights_tell(&server->rights, argv[0], core->keys);
	if (change)
		(void)check_user_reads(server->rights.user, RELAY_WARNING);
	sandbox_start_enter();
	return 0;
}
