/* SPDX-License-Identifier: MPL-2.0 */

/* Whether the user of the process can read what root has read. */

#include <stdlib.h>

#include "base/instance.h"
#include "config/config.h"
#include "config/flags.h"
#include "host/check_user.h"
#include "host/config_loader.h"
#include "host/host_state.h"
#include "log/log.h"
#include "modules/catalog.h"
#include "modules/module_folders.h"

struct finding {
	const char *user;
	enum relay_level level;
	int result;
};

/* Only the first: what follows may be a consequence of it. */
static void note(enum relay_level level, const char *text, void *arg)
{
	struct finding *finding = arg;

	if (level != RELAY_ERROR || finding->result != 0)
		return;
	finding->result = -1;
	log_core(finding->level,
		"the user %s cannot read all that a start by root can, so no "
		"reload and no upgrade will succeed: %s",
		finding->user, text);
}

static void read_modules(const struct host *host, struct finding *finding)
{
	struct module_folders folders = {.count = 0};
	struct relay_err err;

	if (module_folders_read(host->catalog->dirs, &folders, &err) != 0)
		note(RELAY_ERROR, err.text, finding);
	module_folders_free(&folders);
}

int check_user_reads(const char *user, enum relay_level level)
{
	const struct host *host = &instance->host->host;
	struct finding finding = {.user = user, .level = level};
	struct config_module *schema;
	size_t count;

	read_modules(host, &finding);
	schema = config_loader_schema(host->catalog, &count);
	if (!schema)
		note(RELAY_ERROR, "out of memory", &finding);
	else
		config_free(config_load(host->flags->conf, host->flags, schema,
			count, note, &finding));
	free(schema);
	return finding.result;
}
