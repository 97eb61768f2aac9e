/* SPDX-License-Identifier: MPL-2.0 */

#include "base/instance.h"
#include "base/rights.h"
#include "config/config.h"
#include "host/check_user.h"
#include "http/http.h"
#include "life/life_state.h"
#include "life/sandbox_start.h"
#include "life/start_rights.h"
#include "life/start_watch.h"
#include "log/log.h"
#include "tls/tls_start.h"

static struct server_shared *self(void)
{
	return &instance->life->shared;
}

static int fatal(const struct relay_err *err)
{
	log_core(RELAY_ERROR, "%s", err->text);
	return -1;
}

int start_rights_prepare(char *const argv[], const struct config *config)
{
	const struct core_conf *core = config_core(config);
	struct server_shared *server = self();
	struct relay_err err;

	if (rights_find(core->user, core->group, &server->rights, &err) != 0 ||
		rights_check(&server->rights, &err) != 0 ||
		rights_limit_dumps(core->core_dumps, &err) != 0)
		return fatal(&err);
	sandbox_start_prepare(server, argv, config);
	return 0;
}

int start_rights_drop(char *const argv[], const struct config *config)
{
	const struct core_conf *core = config_core(config);
	struct server_shared *server = self();
	bool change = rights_will_change(&server->rights);
	struct relay_err err;

	/* Capabilities belong to a thread: no other one may run. */
	if (rights_will_lessen(&server->rights)) {
		tls_start_join();
		http_reserve();
	}
	start_watch_end();
	if (rights_drop(&server->rights, core->core_dumps, &err) != 0)
		return fatal(&err);
	rights_tell(&server->rights, argv[0], core->keys);
	if (change)
		(void)check_user_reads(server->rights.user, RELAY_WARNING);
	sandbox_start_enter();
	return 0;
}
