/* SPDX-License-Identifier: MPL-2.0 */

/* sending.h - messages to other nodes.  [C] */
#ifndef CLUSTER_SENDING_H
#define CLUSTER_SENDING_H

#include <strelaysrv/module.h>

#include "cluster/messages/message.h"

/* To one incarnation; 0: to all.  A message that cannot be sent is lost, as any
 * message may be. */
void send_message(struct relay_ctx *cx, uint64_t to, struct message *message);

#endif
