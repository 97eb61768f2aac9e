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

#include <stdbool.h>

#include <strelaysrv/thread.h>

#include "relay/address/advertise.h"
#include "shared/lookup.h"
#include "relay/address/uri.h"

#define OWN_ADDRESS_WATCHERS 8

struct relay_conf;

struct own_address_watcher {
	struct relay_ctx *cx; /* NULL: unused */
	relay_post_fn *changed;
};

/* [C] only. */
struct own_address {
	struct advertise base;          /* from the options */
	struct advertise next_base;     /* prepared by a reload, as is */
	struct relay_timer *next_timer; /* this one */
	/* If known, they override base. */
	struct advertise_address mapped_v4, mapped_v6;
	/* The same of the status address; they override ext-status. */
	struct advertise_address status_v4, status_v6;
	struct own_address_watcher watchers[OWN_ADDRESS_WATCHERS];
	struct lookup *lookup; /* owned; NULL: none running */
	char looked_up[256];   /* the host it resolves */
	struct relay_timer *timer;
	bool lookup_failed; /* the last lookup failed */
	bool moved; /* the address has changed, and the watchers were not told
		     * yet
		     */
	bool told;  /* the URI was logged */
	char uri[URI_TEXT]; /* as logged last */
};

/* Publishes the service. init.  0 or -1. */
int own_address_init(struct relay_ctx *cx);
/*
 * Reads the options, and waits a short time for a host name to be resolved.
 * start.  0 or -1.
 */
int own_address_load(struct relay_ctx *cx, struct relay_err *err);
/*
 * The same for a reload, without waiting: a new name is looked up once it is
 * committed.  reload_prepare: 0 or -1; then one of the others.
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
/* If the URI has changed, logs it and notifies the watchers. */
void own_address_tell(struct relay_ctx *cx);
void own_address_finish(struct relay_ctx *cx);

#endif
