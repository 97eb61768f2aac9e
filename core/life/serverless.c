/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>

#include "config/flags.h"
#include "life/command_line.h"
#include "life/ctl.h"
#include "life/health.h"
#include "life/serverless.h"
#include "life/version.h"

bool serverless_expected(int argc, char *const argv[])
{
	return command_line_has(argc, argv, "ctl") ||
	       command_line_has(argc, argv, "health");
}

int serverless_act(const struct flags *flags)
{
	switch (flags->action) {
	case CONFIG_HELP: /* was printed when it was read */
		return EXIT_SUCCESS;
	case CONFIG_VERSION:
		return version_print();
	case CONFIG_CTL:
		return ctl_run(flags);
	case CONFIG_HEALTH:
		return health_run(flags);
	default:
		return -1;
	}
}
