/* SPDX-License-Identifier: MPL-2.0 */

/*
 * curl_loop.h - libcurl's multi interface on a libevent loop.
 *
 * All functions run on the thread of the event base.
 */
#ifndef CURL_LOOP_H
#define CURL_LOOP_H

#include "shared/libcurl.h"

struct event;
struct event_base;

/* A transfer has ended: with `code`, in its CURLOPT_PRIVATE.  It may be removed
 * from `multi`, and others may be added. */
typedef void curl_loop_done_fn(void *arg, void *transfer, CURLcode code);

struct curl_loop {
	struct event_base *base; /* borrowed */
	const struct libcurl *curl;
	CURLM *multi; /* owned, as is the next */
	struct event *timer;
	curl_loop_done_fn *done;
	void *arg;
};

/* 0, or -1 with nothing left open. */
int curl_loop_open(struct curl_loop *loop, struct event_base *base,
	const struct libcurl *curl, curl_loop_done_fn *done, void *arg);
/* Every transfer has been removed.  It may be all zero. */
void curl_loop_close(struct curl_loop *loop);

#endif
