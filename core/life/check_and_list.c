/* SPDX-License-Identifier: MPL-2.0 */

/* What -check and -modules print. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/show_config.h"
#include "host/check.h"
#include "host/check_user.h"
#include "host/host.h"
#include "host/list_modules.h"
#include "base/instance.h"
#include "base/rights.h"
#include "life/check_and_list.h"
#include "life/life_state.h"
#include "life/start_watch.h"
#include "log/log.h"
#include "modules/catalog.h"

/* A server that changes its user starts its modules as that user: what they
 * read must be readable then.  `good`: the configuration has no fault that
 * another reading would tell again. */
static int become_user(
	const struct core_conf *core, const char *program, bool good)
{
	struct rights rights;
	struct relay_err err;

	if (rights_find(core->user, core->group, &rights, &err) != 0) {
		log_core(RELAY_ERROR, "%s", err.text);
		return -1;
	}
	if (!rights_will_change(&rights))
		return 0;
	start_watch_end();
	if (rights_drop(&rights, core->core_dumps, &err) != 0) {
		log_core(RELAY_ERROR, "%s", err.text);
		return -1;
	}
	rights_tell(&rights, program, core->keys);
	return good ? check_user_reads(rights.user, RELAY_ERROR) : 0;
}

/* Reports all errors at once: those that only this machine has, such as an
 * address in use, and those in files and in modules. */
static int check(struct config *config, const char *program, bool good)
{
	const struct core_conf *core = config_core(config);
	int result = good ? 0 : -1;

	/* Modules may ask for the ID. */
	if (check_surroundings(core, instance->life->shared.identity.id) != 0)
		result = -1;
	if (become_user(core, program, good) != 0)
		result = -1;
	if (host_check(config) != 0)
		result = -1;
	if (result != 0) {
		log_core(RELAY_ERROR, "the configuration is not good");
		return -1;
	}
	if (show_config(config, stdout) != 0) {
		log_core(RELAY_ERROR, "cannot write to stdout: %s",
			strerror(errno));
		return -1;
	}
	log_core(RELAY_NOTICE, "the configuration is good");
	return 0;
}

static int list(const struct catalog *catalog, const struct config *config)
{
	int result = list_modules(catalog, config, stdout);

	if (result != 0)
		log_core(RELAY_ERROR, "cannot print the whole list: %s",
			strerror(errno));
	return result;
}

int report(
	struct catalog *catalog, enum config_action action, const char *program)
{
	bool good;
	struct config *config = host_examine(&good);
	int result;

	if (!config)
		return -1;
	log_debug(config_core(config)->debug);
	log_release();
	catalog_report(catalog);
	if (action == CONFIG_CHECK)
		result = check(config, program, good);
	else
		result = list(catalog, config);
	config_free(config);
	return good ? result : -1;
}
