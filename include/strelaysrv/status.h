/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a module adds to /status, which the module status answers.
 *
 * It publishes, in init, a service whose name is the module's own followed by
 * RELAY_STATUS_PART ("quota.status").  From then on, as long as both run,
 * /status has a member with the module's name: an object of what it shows.
 * Strangers read it: no secret, no client's address, no device ID.
 */
#ifndef RELAY_STATUS_H
#define RELAY_STATUS_H

#include <stdint.h>

struct relay_ctx;

#define RELAY_STATUS_PART    ".status"
#define RELAY_STATUS_VERSION 1

/* The object while it is written.  Keys and texts are copied; of two equal keys
 * the first counts. */
struct relay_status {
	void (*number)(struct relay_status *to, const char *key, int64_t value);
	/* UTF-8. */
	void (*text)(
		struct relay_status *to, const char *key, const char *value);
};

/* The service. */
struct relay_status_part {
	/* Writes all members.  [C]  `self` is the module's own context. */
	void (*show)(struct relay_ctx *self, struct relay_status *to);
};

#endif
