/* SPDX-License-Identifier: MPL-2.0 */

/*
 * own_address.h - the relay's address and URI, and their changes at run time.
 *
 * Combines the options, the current addresses of a host name, and addresses
 * from other modules (a mapped port), for invitations, the URI, and watchers of
 * the URI.
 */
#ifndef OWN_ADDRESS_H
#define OWN_ADDRESS_H

#include <stddef.h>

#include <strelaysrv/err.h>

struct relay_conf;
struct relay_ctx;

/* Publishes the service; call it in init. 0 or -1. */
int own_address_init(struct relay_ctx *cx);
/*
 * Reads the options, and waits a short time for a host name to be resolved;
 * call it in start. 0 or -1.
 */
int own_address_load(struct relay_ctx *cx, struct relay_err *err);
/*
 * The same for a reload, without waiting: a new name is looked up once it is
 * committed.  Call own_address_prepare() in reload_prepare: 0 or -1; then call
 * one of the other two.
 */
int own_address_prepare(struct relay_ctx *cx, const struct relay_conf *conf,
	struct relay_err *err);
void own_address_commit(struct relay_ctx *cx);
void own_address_abandon(struct relay_ctx *cx);
/* Starts to resolve the name regularly.  0, or -1 if memory is short. */
int own_address_start(struct relay_ctx *cx);
/* The relay's current URI.  0 or -1; err may be NULL. */
int own_address_uri(
	struct relay_ctx *cx, char *out, size_t cap, struct relay_err *err);
/* After a change of what struct own_address has of other modules: clients are
 * told the new addresses. */
void own_address_changed(struct relay_ctx *cx);
/* If the URI has changed, logs it and notifies the watchers. */
void own_address_tell(struct relay_ctx *cx);
void own_address_finish(struct relay_ctx *cx);

#endif
