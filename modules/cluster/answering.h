/* SPDX-License-Identifier: MPL-2.0 */

/*
 * answering.h - the owner's side of an ask: a device that is here is invited
 * for one who asks at another node.  [C]
 *
 * The session is held here; if this node is closed, drains or carries more than
 * its share, at the asker's node, else at another one that is open.
 */
#ifndef CLUSTER_ANSWERING_H
#define CLUSTER_ANSWERING_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/messages/message.h"

struct relay_ctx;

/* One of this node's own clients asks for a device that is here, too, but this
 * node holds no sessions now.  False: nor does another one, or the device is
 * not here, or it is held here as usual.  Else asks_answered() follows. */
bool answering_own(struct relay_ctx *cx, const struct message_ask *in);
/* Asks another node where one does not prepare a session.  The ms until the
 * next call. */
int64_t answering_tick(struct relay_ctx *cx);
/* Messages. */
void answering_ask(struct relay_ctx *cx, const struct message *in);
void answering_prepare(struct relay_ctx *cx, const struct message *in);
void answering_prepared(struct relay_ctx *cx, const struct message *in);

#endif
