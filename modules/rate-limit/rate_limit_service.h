/* SPDX-License-Identifier: MPL-2.0 */

/* rate_limit_service.h - the service of the module rate-limit. */
#ifndef RATE_LIMIT_SERVICE_H
#define RATE_LIMIT_SERVICE_H

#include <stdint.h>

struct relay_ctx;

#define RATE_LIMIT_SERVICE "rate-limit"
/* 2: hold, let_go and apply_now.  3: hold_by and let_go_by. */
#define RATE_LIMIT_SERVICE_VERSION 3

struct rate_limit_service {
	/*
	 * Caps the global rate at that many bytes per second, in addition to
	 * the options; 0 removes the cap.  [C] Cheap if nothing changes.
	 */
	void (*cap)(struct relay_ctx *self, int64_t rate);
	/*
	 * Gives a device a rate of its own, in bytes per second, and a weight
	 * in the global rate; 0: none.  A lower option per-device stays in
	 * force, and so do its entries in weights and exempt.  The newest call
	 * counts, until let_go() was called as often as hold().  For sessions
	 * that begin later.  [C] 0, or -1 if memory is short.
	 */
	int (*hold)(struct relay_ctx *self, const uint8_t *id, int64_t rate,
		int64_t weight);
	void (*let_go)(struct relay_ctx *self, const uint8_t *id);
	/* What was given counts for running sessions as well.  [C] */
	void (*apply_now)(struct relay_ctx *self);
	/*
	 * The same for one of several holders, whose name is a constant: each
	 * has values of its own.  The lowest rate of all counts, and the
	 * highest weight.  hold() and let_go() are those of the holder "".
	 */
	int (*hold_by)(struct relay_ctx *self, const char *holder,
		const uint8_t *id, int64_t rate, int64_t weight);
	void (*let_go_by)(
		struct relay_ctx *self, const char *holder, const uint8_t *id);
};

#endif
