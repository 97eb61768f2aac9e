/* SPDX-License-Identifier: MPL-2.0 */

/*
 * advise.h - warnings about settings that may be unintended.
 */
#ifndef ADVISE_H
#define ADVISE_H

#include <strelaysrv/module.h>

/* For each pool of the options: that the relay will be public, and what may be
 * wrong with the URL; as struct relay_hooks says. */
void pools_advise(struct relay_ctx *cx, const void *values);

#endif
