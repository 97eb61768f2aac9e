/* SPDX-License-Identifier: MPL-2.0 */

/* wrong-name: its file was renamed. */

#include <strelaysrv/module.h>

RELAY_MODULE = {
	RELAY_MODULE_INFO("right-name", "1", "its file was renamed"),
	.flags = RELAY_CONFINED,
};
