/* SPDX-License-Identifier: MPL-2.0 */

/* libcurl's multi interface on a libevent loop. */

#include <event2/event.h>
#include <utlist.h>

#include "shared/curl_loop.h"

static void move(struct curl_loop_job *job, struct curl_loop_job **list)
{
	if (job->list)
		DL_DELETE(*job->list, job);
	job->list = list;
	if (list)
		DL_APPEND(*list, job);
}

/* It is in no list any more. */
static void tell(struct curl_loop *loop, CURL *easy, CURLcode code)
{
	void *transfer = NULL;

	if (loop->curl->easy_getinfo(easy, CURLINFO_PRIVATE, &transfer) ==
			CURLE_OK &&
		transfer)
		loop->done(loop->arg, transfer, code);
}

static void collect(struct curl_loop *loop)
{
	const CURLMsg *msg;
	int left;

	while ((msg = loop->curl->multi_info_read(loop->multi, &left))) {
		CURLcode code = msg->data.result;
		CURL *easy = msg->easy_handle;
		struct curl_loop_job *job;

		DL_SEARCH_SCALAR(loop->jobs, job, easy, easy);
		if (msg->msg != CURLMSG_DONE || !job)
			continue;
		curl_loop_end(loop, job);
		tell(loop, easy, code);
	}
}

static int set_multi(struct curl_loop *loop);

/* After an error libcurl must not be called for these transfers again: without
 * memory for one it leaves a table in place that has no rows, and then divides
 * by their number. */
static void give_up(struct curl_loop *loop)
{
	while (loop->jobs) {
		(void)loop->curl->multi_remove_handle(
			loop->multi, loop->jobs->easy);
		move(loop->jobs, &loop->failed);
	}
	(void)loop->curl->multi_cleanup(loop->multi);
	loop->multi = NULL;
	/* If it fails, the next transfer tries again. */
	(void)set_multi(loop);
	while (loop->failed) {
		CURL *easy = loop->failed->easy;

		curl_loop_end(loop, loop->failed);
		tell(loop, easy, CURLE_OUT_OF_MEMORY);
	}
}

static void act(struct curl_loop *loop, curl_socket_t fd, int flags)
{
	int running;
	CURLMcode code;

	if (!loop->multi)
		return;
	code = loop->curl->multi_socket_action(
		loop->multi, fd, flags, &running);
	collect(loop);
	if (code != CURLM_OK)
		give_up(loop);
}

static void socket_event(evutil_socket_t fd, short what, void *arg)
{
	int flags = 0;

	if (what & EV_READ)
		flags |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		flags |= CURL_CSELECT_OUT;
	act(arg, fd, flags);
}

static void timer_due(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct curl_loop *loop = arg;

	(void)multi;
	standing_timer_set(&loop->timer, ms);
	return 0;
}

static int set_socket(
	CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct curl_loop *loop = arg;
	struct event *event = assigned;
	short flags = EV_PERSIST;

	(void)easy;
	if (event)
		event_free(event);
	if (what == CURL_POLL_REMOVE) {
		(void)loop->curl->multi_assign(loop->multi, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		flags |= EV_READ;
	if (what & CURL_POLL_OUT)
		flags |= EV_WRITE;
	event = event_new(loop->base, fd, flags, socket_event, loop);
	if (event && event_add(event, NULL) != 0) {
		event_free(event);
		event = NULL;
	}
	/* Without an event the request ends by its timeout.  After -1 libcurl
	 * would neither go on with any other request nor begin a new one. */
	(void)loop->curl->multi_assign(loop->multi, fd, event);
	return 0;
}

static int set_multi(struct curl_loop *loop)
{
	const struct libcurl *curl = loop->curl;

	loop->multi = curl->multi_init();
	if (loop->multi &&
		!curl->multi_setopt(
			loop->multi, CURLMOPT_SOCKETFUNCTION, set_socket) &&
		!curl->multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop) &&
		!curl->multi_setopt(
			loop->multi, CURLMOPT_TIMERFUNCTION, set_timer) &&
		!curl->multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop))
		return 0;
	if (loop->multi)
		(void)curl->multi_cleanup(loop->multi);
	loop->multi = NULL;
	return -1;
}

int curl_loop_open(struct curl_loop *loop, struct event_base *base,
	const struct libcurl *curl, curl_loop_done_fn *done, void *arg)
{
	*loop = (struct curl_loop){
		.base = base, .curl = curl, .done = done, .arg = arg};
	if (standing_timer_open(&loop->timer, base, timer_due, loop) == 0 &&
		set_multi(loop) == 0)
		return 0;
	curl_loop_close(loop);
	return -1;
}

bool curl_loop_is_open(const struct curl_loop *loop)
{
	return loop->timer.event != NULL;
}

int curl_loop_begin(
	struct curl_loop *loop, struct curl_loop_job *job, CURL *easy)
{
	if (!loop->multi && set_multi(loop) != 0)
		return -1;
	if (loop->curl->multi_add_handle(loop->multi, easy) != CURLM_OK)
		return -1;
	job->easy = easy;
	job->headers_len = 0;
	job->headers_too_long = false;
	move(job, &loop->jobs);
	return 0;
}

size_t curl_loop_header(char *data, size_t size, size_t count, void *job)
{
	struct curl_loop_job *of = job;
	size_t len = size * count;

	(void)data;
	of->headers_too_long = len > CURL_LOOP_HEADERS_MOST - of->headers_len;
	if (of->headers_too_long)
		return 0;
	of->headers_len += len;
	return len;
}

void curl_loop_end(struct curl_loop *loop, struct curl_loop_job *job)
{
	if (job->list == &loop->jobs)
		(void)loop->curl->multi_remove_handle(loop->multi, job->easy);
	move(job, NULL);
	job->easy = NULL;
}

void curl_loop_close(struct curl_loop *loop)
{
	if (loop->multi)
		(void)loop->curl->multi_cleanup(loop->multi);
	standing_timer_close(&loop->timer);
	*loop = (struct curl_loop){0};
}
