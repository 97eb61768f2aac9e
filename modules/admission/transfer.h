/* SPDX-License-Identifier: MPL-2.0 */

/* transfer.h - one HTTP request about a device.  On the asking thread. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/curl_loop.h"
#include "question.h"
#include "setup.h"

/* Why there is no answer. */
enum failure {
	FAILURE_NONE,
	FAILURE_UNREACHED, /* no connection, no TLS, or no whole answer */
	FAILURE_TIMEOUT,
	FAILURE_STATUS,
	FAILURE_REDIRECT,
	FAILURE_LONG,
	FAILURE_UNREADABLE,
	FAILURE_OTHER_DEVICE,
	/* The endpoint answers: strangers may have caused it. */
	FAILURE_REJECTED,
	/* These were not asked. */
	FAILURE_LATE,
	FAILURE_BREAKER,
	FAILURE_FULL,
	FAILURE_SOURCE_FULL,
	FAILURE_MEMORY,
	FAILURES
};

/* Whether it says that the endpoint fails. */
static inline bool failure_is_of_endpoint(enum failure failure)
{
	return failure > FAILURE_NONE && failure < FAILURE_REJECTED;
}

struct transfer;

/* NULL without memory. */
struct transfer *transfer_new(const struct libcurl *curl);
/* It is not under way.  NULL is allowed. */
void transfer_free(struct transfer *transfer);
/* Begins it; `owner` is what transfer_owner() returns.  0, or -1. */
int transfer_begin(struct transfer *transfer, struct curl_loop *loop,
	struct setup *setup, const struct question *question, void *owner);
void *transfer_owner(const struct transfer *transfer);
/* After its end: why there is no answer, in out->reason, too; or the answer. */
enum failure transfer_result(
	struct transfer *transfer, CURLcode code, struct answer *out);
/* Ends it, if it was begun. */
void transfer_end(struct transfer *transfer, struct curl_loop *loop);

#endif
