/* SPDX-License-Identifier: MPL-2.0 */

/*
 * list.h - the list of relays, as clients read it.
 *
 * It is made again only when something in it has changed, so a request costs
 * little.
 */
#ifndef LIST_H
#define LIST_H

#include "endpoint/state.h"

/* Brings state_of(cx)->list up to date, where `own` is this relay.  0, or -1
 * without memory; then the list is that of before, or none.  [C] */
int list_refresh(struct relay_ctx *cx, const struct own *own);
/* Whether another relay is in the list. */
bool list_has(const struct list *list, const struct other *other);
/* Answers a request. */
void list_answer(struct relay_ctx *cx, struct relay_http *http);
/* Logs what has changed of the list since the last time. */
void list_tell(struct relay_ctx *cx);
void list_free(struct list *list);

#endif
