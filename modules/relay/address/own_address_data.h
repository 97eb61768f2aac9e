/* SPDX-License-Identifier: MPL-2.0 */

/* own_address_data.h - what own_address.c keeps in struct relay_data. */
#ifndef OWN_ADDRESS_DATA_H
#define OWN_ADDRESS_DATA_H

#include <stdbool.h>

#include <strelaysrv/thread.h>

#include "relay/address/advertise.h"
#include "relay/address/uri.h"
#include "shared/lookup.h"

#define OWN_ADDRESS_WATCHERS 8

struct own_address_watcher {
	struct relay_ctx *cx; /* NULL: unused */
	relay_post_fn *changed;
};

/* [C] only. */
struct own_address {
	struct advertise base;          /* from the options */
	struct advertise next_base;     /* prepared by a reload, as is */
	struct relay_timer *next_timer; /* this one */
	struct advertise_mapped mapped_v4, mapped_v6;
	/* The same of the status address; they override ext-status. */
	struct told_address status_v4, status_v6;
	struct own_address_watcher watchers[OWN_ADDRESS_WATCHERS];
	struct lookup *lookup; /* owned; NULL: none running */
	unsigned looking;      /* the entry of base whose turn it is */
	char looked_up[EXT_ADDRESS_HOST]; /* the host it resolves */
	int64_t lookup_ms; /* when it began; 0: its silence was logged */
	struct relay_timer *timer;
	bool lookup_failed; /* of the names, one at least */
	bool moved; /* the address has changed, and the watchers were not told
		     * yet
		     */
	bool told;  /* the URI was logged */
	char uri[URI_TEXT]; /* as logged last */
};

#endif
