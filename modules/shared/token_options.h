/* SPDX-License-Identifier: MPL-2.0 */

/* token_options.h - whether the configuration asks devices for a token. */
#ifndef TOKEN_OPTIONS_H
#define TOKEN_OPTIONS_H

#include <stdbool.h>

struct relay_ctx;

/* Whether an option of relay or access that has tokens is set.  A credential of
 * systemd is no option.  [C] */
bool token_options_are_set(struct relay_ctx *cx);

#endif
