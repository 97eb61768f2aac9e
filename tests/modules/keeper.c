/* SPDX-License-Identifier: MPL-2.0 */

/* keeper: a module that may not be removed while the server runs. */

#include <strelaysrv/module.h>

RELAY_MODULE = {
	RELAY_MODULE_INFO("keeper", "1", "cannot be removed by a reload"),
	.flags = RELAY_ESSENTIAL | RELAY_CONFINED,
};
