/* SPDX-License-Identifier: MPL-2.0 */

/* bad-magic: has a wrong magic number. */

#include <strelaysrv/module.h>

RELAY_MODULE = {
	.magic = 0xdeadbeef,
	.abi_major = RELAY_ABI_MAJOR,
	.abi_minor = RELAY_ABI_MINOR,
	.size = sizeof(struct relay_module_def),
	.name = "bad-magic",
	.version = "1",
	.summary = "begins like something else",
};
