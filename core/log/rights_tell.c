/* SPDX-License-Identifier: MPL-2.0 */

/* Tells the operator which rights the server has kept. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "base/rights.h"

void rights_tell(
	const struct rights *rights, const char *program, const char *keys)
{
	char path[PATH_MAX];

	if (!rights->change) {
		if (geteuid() == 0)
			log_core(RELAY_NOTICE,
				"runs as root; with the option user it would "
				"not have to");
		return;
	}
	log_core(RELAY_NOTICE,
		"runs as user %s and group %s, permanently and without "
		"capabilities: they must be allowed to open what a reload "
		"opens, and a new port below 1024 needs a restart",
		rights->user, rights->group);
	/* One without a slash was found in PATH. */
	if (strchr(program, '/') && access(program, X_OK) != 0)
		log_core(RELAY_WARNING,
			"the user %s cannot run %s (%s): no upgrade will "
			"succeed",
			rights->user, program, strerror(errno));
	/* -check may come before the first start, which makes the keys. */
	if (snprintf(path, sizeof(path), "%s/key.pem", keys) <
			(int)sizeof(path) &&
		access(path, R_OK) != 0 && errno != ENOENT)
		log_core(RELAY_WARNING,
			"the user %s cannot read %s (%s): this process has "
			"read it, but no reload, no module, no upgrade and no "
			"start as that user can; chown it to the user",
			rights->user, path, strerror(errno));
}
