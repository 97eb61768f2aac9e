/* SPDX-License-Identifier: MPL-2.0 */

/*
 * contact.h - connects to a relay by any URI: the named relay, or one of a
 * pool.
 *
 * Tries one candidate after the other until contact_settled() is called.  If
 * all fail, the error of the last is reported.
 */
#ifndef CONTACT_H
#define CONTACT_H

#include "channel.h"
#include "client_state.h"

struct contact;

/* Each callback may free the contact. */
struct contact_handlers {
	/* Puts the first message into buf and returns its size. */
	size_t (*request)(const struct client_uri *relay, uint8_t *buf,
		size_t cap, void *arg);
	void (*message)(enum frame_type type, const uint8_t *body, size_t len,
		void *arg);
	/* NULL is allowed. */
	void (*step)(enum relay_client_step step, const char *relay, void *arg);
	void (*failed)(const struct relay_client_error *why, void *arg);
};

/* handlers are copied.  NULL with err: no URI, no memory. */
struct contact *contact_start(struct relay_client *client, const char *uri,
	const struct contact_handlers *handlers, void *arg,
	struct relay_err *err);

/* Accepts this relay: from now on no other is tried. */
void contact_settled(struct contact *contact);

/*
 * Rejects this relay for this reason: tries the next, or fails.  Must be the
 * last action of a message().
 */
void contact_reject(struct contact *contact, enum relay_client_failure failure,
	const char *what);

/* Whether the current relay comes from a pool. */
bool contact_is_pooled(const struct contact *contact);

/* The current relay's URI, and its address. */
const char *contact_uri(const struct contact *contact);
void contact_peer(const struct contact *contact,
	struct sockaddr_storage *address, socklen_t *len);

/* NULL is allowed. */
void contact_free(struct contact *contact);

#endif
