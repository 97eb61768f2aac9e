/* SPDX-License-Identifier: MPL-2.0 */

/* receiving.h - messages of other nodes.  [C] */
#ifndef CLUSTER_RECEIVING_H
#define CLUSTER_RECEIVING_H

#include <stddef.h>
#include <stdint.h>

struct relay_ctx;

/* Checks a message, and does what it asks for. */
void receive_message(struct relay_ctx *cx, const uint8_t *bytes, size_t len);
/* Notes whose lease has ended.  The ms until the next call. */
int64_t receive_expire(struct relay_ctx *cx);

#endif
