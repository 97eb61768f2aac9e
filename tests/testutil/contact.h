/* SPDX-License-Identifier: MPL-2.0 */

/*
 * contact.h - reaches a relay by any URI: the one it names, or one of a pool.
 *
 * Goes from candidate to candidate until contact_settled() says that one is
 * right; the error of the last is that of all.
 */
#ifndef CONTACT_H
#define CONTACT_H

#include "channel.h"
#include "client_state.h"

struct contact;

/* Each may free the contact. */
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

/* This relay it is; from now on its end is the end. */
void contact_settled(struct contact *contact);

/* This relay will not do, for this reason: the next one, or the end.  The last
 * thing that a message() does. */
void contact_reject(struct contact *contact, enum relay_client_failure failure,
	const char *what);

/* Whether a pool named the relay in use, and not the user. */
bool contact_is_pooled(const struct contact *contact);

/* The URI in use, and the address of its end. */
const char *contact_uri(const struct contact *contact);
void contact_peer(const struct contact *contact,
	struct sockaddr_storage *address, socklen_t *len);

/* NULL is fine. */
void contact_free(struct contact *contact);

#endif
