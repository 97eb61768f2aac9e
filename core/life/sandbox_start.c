/* SPDX-License-Identifier: MPL-2.0 */

#include <unistd.h>

#include "base/instance.h"
#include "base/sandbox.h"
#include "config/config.h"
#include "host/sandbox_fit.h"
#include "life/launcher.h"
#include "life/life_state.h"
#include "life/sandbox_start.h"

void sandbox_start_prepare(const struct server_shared *server,
	char *const argv[], const struct config *config)
{
	const struct core_conf *core = config_core(config);
	const char *why =
		core->sandbox ? sandbox_why_not() : "so it is configured";
	struct relay_err err;

	if (!why && launcher_start(&server->rights, core->core_dumps,
			    sandbox_fit_plan(&server->catalog, config), argv,
			    &err) != 0)
		why = err.text;
	if (why)
		sandbox_fit_none(why);
}

void sandbox_start_enter(void)
{
	int fd;

	if (!launcher_runs())
		return;
	fd = launcher_take_filter();
	/* Without a sandbox the server itself can start programs.  Process 1
	 * cannot be upgraded, see upgrade_objection(). */
	if (!sandbox_fit_enter(fd) || getpid() == 1)
		launcher_finish();
	(void)close(fd);
}
