/* SPDX-License-Identifier: MPL-2.0 */

/* conf_copy.h - a copy of the options, for a thread that may outlive them. */
#ifndef CONF_COPY_H
#define CONF_COPY_H

#include "policy.h"

/* NULL without memory. */
struct conf *conf_copy(const struct conf *conf);
/* Accepts NULL. */
void conf_copy_free(struct conf *copy);

#endif
