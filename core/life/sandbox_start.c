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
	char *const argv[], const struct core_conf *core)
{
	const char *why =
		core->sandbox ? sandbox_why_not() : "so it is configured";
	struct relay_err err;

	/* Process 1 cannot be upgraded, see upgrade_objection(). */
	if (!why && getpid() != 1 &&
		launcher_start(&server->rights, core->core_dumps, argv, &err) !=
			0)
		why = err.text;
	if (why)
		sandbox_fit_none(why);
	instance->life->sandboxed = !why;
}

void sandbox_start_enter(
	const struct server_shared *server, const struct config *config)
{
	if (instance->life->sandboxed)
		sandbox_fit_enter(&server->catalog, config);
}
