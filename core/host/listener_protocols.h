/* SPDX-License-Identifier: MPL-2.0 */

/* listener_protocols.h - whether the modules that listeners name serve
 * connections. */
#ifndef LISTENER_PROTOCOLS_H
#define LISTENER_PROTOCOLS_H

#include "modules/stage.h"

struct config;

/* [C]  `wanted` are the modules that will run.  0, or -1 with each wrong one
 * logged. */
int listener_protocols_check(
	const struct config *config, const struct module_list *wanted);

#endif
