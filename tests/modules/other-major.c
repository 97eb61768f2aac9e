/* SPDX-License-Identifier: MPL-2.0 */

/* other-major: was built for another major version of the API. */

#include <strelaysrv/module.h>

RELAY_MODULE = {
	.magic = RELAY_ABI_MAGIC,
	.abi_major = RELAY_ABI_MAJOR + 1,
	.abi_minor = 7,
	.size = sizeof(struct relay_module_def),
	.name = "other-major",
	.version = "1",
	.summary = "built for another generation of servers",
};
