/* SPDX-License-Identifier: MPL-2.0 */

/* quota_service.h - the service of the module quota. */
#ifndef QUOTA_SERVICE_H
#define QUOTA_SERVICE_H

#include <stdint.h>

struct relay_ctx;

#define QUOTA_SERVICE         "quota"
#define QUOTA_SERVICE_VERSION 1

struct quota_service {
	/*
	 * Adds relayed bytes, each counted once, to what that name has used in
	 * the month, and returns the sum as the option count has it; -1: it
	 * cannot be counted, for lack of memory.  A name has 1 to 32 letters,
	 * digits, and any of
	 * -_.  [C]  Cheap.
	 */
	int64_t (*spend)(
		struct relay_ctx *self, const char *name, int64_t bytes);
};

#endif
