/* SPDX-License-Identifier: MPL-2.0 */

/*
 * remote.h - the service of remote_service.h.
 */
#ifndef REMOTE_H
#define REMOTE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/module.h>

#include "relay/remote_service.h"

/*
 * Who gets an answer.  It travels between threads and names its module by a
 * number, because the module may be gone when the answer comes.
 */
struct remote_to {
	uint64_t serial; /* of the watcher; 0: nobody */
	relay_post_fn *fn;
};

/* Offers the service.  [C] init.  0, or -1 with err. */
int remote_init(struct relay_ctx *cx, struct relay_err *err);

/* Sends an answer on its way.  [*]  If memory is short, it does not come, and
 * the log says so. */
void remote_answer_ask(struct relay_ctx *cx, const struct remote_to *to,
	const struct remote_answer *answer);
void remote_answer_probe(struct relay_ctx *cx, const struct remote_to *to,
	const struct remote_conn *answer);

/* Functions of the service; the first has found NULL for a session held here.
 */
int remote_ask_begin(struct relay_ctx *self, const struct remote_to *to,
	const struct remote_ask *ask, const struct relay_found *found);
enum remote_end remote_prepare(struct relay_ctx *self,
	const struct remote_ask *ask, uint8_t key[2][RELAY_DEVICE_ID_LEN]);
int remote_told(
	struct relay_ctx *self, int family, struct sockaddr_storage *out);

#endif
