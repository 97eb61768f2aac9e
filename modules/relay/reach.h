/* SPDX-License-Identifier: MPL-2.0 */

/*
 * reach.h - how the relay is reached, as it changes while it runs.
 *
 * Puts together what the options say, what a host name resolves to by now, and
 * what other modules know (a mapped port), for invitations, the URI, and those
 * who watch it.
 */
#ifndef REACH_H
#define REACH_H

#include <stdbool.h>

#include <strelaysrv/thread.h>

#include "advertise.h"
#include "lookup.h"
#include "uri.h"

#define REACH_WATCHERS 8

struct relay_conf;

struct reach_watcher {
	struct relay_ctx *cx; /* NULL: a free place */
	relay_post_fn *changed;
};

/* [C] only. */
struct reach {
	struct advertise base;          /* from the options */
	struct advertise next_base;     /* prepared by a reload, as is */
	struct relay_timer *next_timer; /* this one */
	struct advertise_address mapped_v4, mapped_v6; /* known: they win */
	struct reach_watcher watchers[REACH_WATCHERS];
	struct lookup *lookup; /* owned; NULL: none under way */
	char looked_up[256];   /* the host that it looks up */
	struct relay_timer *timer;
	bool lookup_failed; /* the last one did */
	bool moved; /* clients are told another address than the watchers know
		     */
	bool told;  /* the URI was logged once */
	char uri[URI_TEXT]; /* as it was told last */
};

/* Offers the service.  init.  0 or -1. */
int reach_init(struct relay_ctx *cx);
/* Reads the options, and waits for a host name, but not for long.  start.  0
 * or -1. */
int reach_load(struct relay_ctx *cx, struct relay_err *err);
/*
 * The same for a reload, without waiting: a new name is looked up once it is
 * committed.  reload_prepare: 0 or -1; then one of the others.
 */
int reach_prepare(struct relay_ctx *cx, const struct relay_conf *conf,
	struct relay_err *err);
void reach_commit(struct relay_ctx *cx);
void reach_abandon(struct relay_ctx *cx);
/* Begins to look a name up, again and again.  0 or -1 without memory. */
int reach_start(struct relay_ctx *cx);
/* The relay's URI as it is now.  0 or -1; err may be NULL. */
int reach_uri(
	struct relay_ctx *cx, char *out, size_t cap, struct relay_err *err);
/* Logs the URI, and tells those who watch it if it has changed. */
void reach_tell(struct relay_ctx *cx);
void reach_finish(struct relay_ctx *cx);

#endif
