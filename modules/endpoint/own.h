/* SPDX-License-Identifier: MPL-2.0 */

/* own.h - whether this relay belongs in the list. */
#ifndef OWN_H
#define OWN_H

#include "endpoint/state.h"

/* Asks the relay and the server.  [C] */
void own_look(struct relay_ctx *cx, struct own *out);
/* Why it is not listed, for operators. */
const char *own_why(const struct own *own);

#endif
