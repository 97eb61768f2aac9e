/* SPDX-License-Identifier: MPL-2.0 */

/* terms.h - rates, weights and quotas of devices, which other modules keep.
 * All functions are [C]; those with a device need the lock. */
#ifndef TERMS_H
#define TERMS_H

#include "here.h"

struct rate_limit_service;
struct quota_service;

enum terms_result {
	TERMS_KEPT,
	TERMS_UNLIMITED, /* the module rate-limit does not run */
	TERMS_USED_UP,   /* the quota */
	TERMS_UNCOUNTED, /* nobody counts it: no module quota, or no room */
	TERMS_NO_MEMORY,
};

/* NULL where the module does not run.  For this callback only. */
struct terms_services {
	const struct rate_limit_service *limiter;
	struct relay_ctx *limiter_self;
	const struct quota_service *quota;
	struct relay_ctx *quota_self;
};
struct terms_services terms_find(struct relay_ctx *cx);

/* Puts the device's answer in force. */
enum terms_result terms_apply(struct relay_ctx *cx, struct device *device);
/* Logs what an operator has to change. */
void terms_report(struct relay_ctx *cx, enum terms_result result);
/* Counts what its sessions have used. */
void terms_count(struct device *device, const struct terms_services *services);
/* It has left. */
void terms_end(struct device *device, const struct terms_services *services);
/* Other modules may have come. */
void terms_apply_all(struct relay_ctx *cx);

#endif
