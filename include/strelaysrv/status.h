/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How a module adds data to /status, which the module status serves.
 *
 * In init it publishes a service named like the module followed by
 * RELAY_STATUS_PART ("quota.status").  While both run, /status has a member
 * with the module's name: an object with its data.  Strangers can read it: show
 * no secret, no client's address, no device ID.
 */
#ifndef RELAY_STATUS_H
#define RELAY_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_ctx;

#define RELAY_STATUS_PART    ".status"
#define RELAY_STATUS_VERSION 1

/*
 * Writes the object.  Keys and texts are copied; of two equal keys the first
 * counts.
 */
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

#ifdef __cplusplus
}
#endif

#endif
