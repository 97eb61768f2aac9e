/* SPDX-License-Identifier: MPL-2.0 */

/*
 * quota_service.h - what the module quota tells others.
 */
#ifndef QUOTA_SERVICE_H
#define QUOTA_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct relay_ctx;

#define QUOTA_SERVICE         "quota"
#define QUOTA_SERVICE_VERSION 1

struct quota_service {
	/*
	 * Whether the traffic of a period is used up.  [C]  As long as it is,
	 * the relay takes no newcomers: a pool should not send any, so who
	 * joins one asks before each join.  *resumes_s (may be NULL) is when
	 * that will be over, in seconds since 1970.
	 */
	bool (*exhausted)(struct relay_ctx *self, int64_t *resumes_s);
};

#endif
