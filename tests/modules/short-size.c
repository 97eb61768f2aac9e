/* SPDX-License-Identifier: MPL-2.0 */

/* short-size: its descriptor has a size that no version of the API has. */

#include <strelaysrv/module.h>

RELAY_MODULE = {
	.magic = RELAY_ABI_MAGIC,
	.abi_major = RELAY_ABI_MAJOR,
	.abi_minor = RELAY_ABI_MINOR,
	.size = offsetof(struct relay_module_def, check),
	.name = "short-size",
	.version = "1",
	.summary = "ends too early",
};
