/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include <strelaysrv/module.h>

#include "shared/module_order.h"

void module_order_advise(struct relay_ctx *cx, const char *first,
	const char *then, const char *wrong)
{
	struct relay_value modules;
	bool passed = false;

	if (relay_option_get(cx, NULL, "modules", &modules) != 0)
		return;
	for (const char *const *name = modules.list; *name; name++) {
		passed |= strcmp(*name, then) == 0;
		if (passed && strcmp(*name, first) == 0)
			relay_log(cx, RELAY_WARNING,
				"modules: write %s before %s, not after it: %s",
				first, then, wrong);
	}
}
