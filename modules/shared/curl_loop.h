/* SPDX-License-Identifier: MPL-2.0 */

/*
 * curl_loop.h - libcurl's multi interface on a libevent loop.
 *
 * All functions run on the thread of the event base.
 */
#ifndef CURL_LOOP_H
#define CURL_LOOP_H

#include <stdbool.h>

#include "shared/libcurl.h"
#include "shared/standing_timer.h"

struct event_base;

/* The bytes of all headers of an answer, with those after its body. */
#define CURL_LOOP_HEADERS_MOST 65536

/* A transfer has ended with `code`; `transfer` is its CURLOPT_PRIVATE.  It has
 * been removed, and others may be begun. */
typedef void curl_loop_done_fn(void *arg, void *transfer, CURLcode code);

/* A transfer that is under way; a part of what the caller keeps of it.  All
 * zero: it is not. */
struct curl_loop_job {
	CURL *easy;                  /* borrowed; NULL: not under way */
	struct curl_loop_job **list; /* that it is in */
	struct curl_loop_job *next, *prev;
	size_t headers_len;
	bool headers_too_long; /* so it was ended */
};

struct curl_loop {
	struct event_base *base; /* borrowed */
	const struct libcurl *curl;
	CURLM *multi; /* owned; NULL: memory was short */
	struct standing_timer timer;
	struct curl_loop_job *jobs;   /* utlist */
	struct curl_loop_job *failed; /* utlist; removed from `multi` */
	curl_loop_done_fn *done;
	void *arg;
};

/* 0, or -1 with nothing left open. */
int curl_loop_open(struct curl_loop *loop, struct event_base *base,
	const struct libcurl *curl, curl_loop_done_fn *done, void *arg);
/* Whether it was opened. */
bool curl_loop_is_open(const struct curl_loop *loop);
/* Begins a transfer.  0, or -1 without memory. */
int curl_loop_begin(
	struct curl_loop *loop, struct curl_loop_job *job, CURL *easy);
/* The CURLOPT_HEADERFUNCTION of transfers; its CURLOPT_HEADERDATA is the job.
 * Of headers after the body libcurl itself would take any number. */
size_t curl_loop_header(char *data, size_t size, size_t count, void *job);
/* Removes a transfer if it is under way.  Its handle may be freed then. */
void curl_loop_end(struct curl_loop *loop, struct curl_loop_job *job);
/* Every transfer has been removed.  It may be all zero. */
void curl_loop_close(struct curl_loop *loop);

#endif
