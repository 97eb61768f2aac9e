/* SPDX-License-Identifier: MPL-2.0 */

/* newer-minor: was built for a later minor version of the API. */

#include <strelaysrv/module.h>

RELAY_MODULE = {
	.magic = RELAY_ABI_MAGIC,
	.abi_major = RELAY_ABI_MAJOR,
	.abi_minor = RELAY_ABI_MINOR + 1,
	.size = sizeof(struct relay_module_def),
	.name = "newer-minor",
	.version = "1",
	.summary = "built for a later server",
};
