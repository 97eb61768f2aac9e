/* SPDX-License-Identifier: MPL-2.0 */

/* Takes the keys from systemd's credentials. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/credentials.h"
#include "config/config_credentials.h"
#include "config/config_report.h"
#include "config/config_section.h"
#include "config/options.h"

static void take(struct config_section *own, const struct relay_option *keys,
	const char *dir, struct config_report *to)
{
	char **origin = &own->origins[keys - own->options];
	const struct core_conf *core = own->values;
	struct relay_err err;

	if (*origin && strcmp(core->keys, dir) != 0) {
		config_report(to, RELAY_ERROR,
			"%s: keys are in %s, but systemd passes a pair as "
			"credentials, too; leave one out",
			*origin, core->keys);
		return;
	}
	if (*origin)
		return;
	*origin = strdup("systemd's credentials");
	if (!*origin)
		config_report(to, RELAY_ERROR, "out of memory");
	else if (option_parse(keys, dir, OPTION_FROM_FLAG, own->values, &err))
		config_report(to, RELAY_ERROR, "keys: %s", err.text);
}

void config_take_credentials(
	struct config_section *own, struct config_report *to)
{
	const struct relay_option *keys = options_find(own->options, "keys");
	bool has_cert, has_key;
	struct relay_err err;

	if (!keys)
		return;
	if (credentials_have("cert.pem", &has_cert, &err) ||
		credentials_have("key.pem", &has_key, &err))
		config_report(to, RELAY_ERROR, "%s", err.text);
	else if (has_cert || has_key)
		take(own, keys, credentials_dir(), to);
}
