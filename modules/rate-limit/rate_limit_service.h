/* SPDX-License-Identifier: MPL-2.0 */

/* rate_limit_service.h - the service of the module rate-limit. */
#ifndef RATE_LIMIT_SERVICE_H
#define RATE_LIMIT_SERVICE_H

#include <stdint.h>

struct relay_ctx;

#define RATE_LIMIT_SERVICE         "rate-limit"
#define RATE_LIMIT_SERVICE_VERSION 1

struct rate_limit_service {
	/*
	 * Caps the global rate at that many bytes per second, in addition to
	 * the options; 0 removes the cap.  [C] Cheap if nothing changes.
	 */
	void (*cap)(struct relay_ctx *self, int64_t rate);
};

#endif
