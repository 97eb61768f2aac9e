/* SPDX-License-Identifier: MPL-2.0 */

/* libcurl's multi interface on a libevent loop. */

#include <event2/event.h>

#include "shared/curl_loop.h"

static void collect(struct curl_loop *loop)
{
	CURLMsg *msg;
	int left;

	while ((msg = loop->curl->multi_info_read(loop->multi, &left))) {
		void *transfer = NULL;

		if (msg->msg == CURLMSG_DONE &&
			loop->curl->easy_getinfo(msg->easy_handle,
				CURLINFO_PRIVATE, &transfer) == CURLE_OK &&
			transfer)
			loop->done(loop->arg, transfer, msg->data.result);
	}
}

static void socket_event(evutil_socket_t fd, short what, void *arg)
{
	struct curl_loop *loop = arg;
	int running, flags = 0;

	if (what & EV_READ)
		flags |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		flags |= CURL_CSELECT_OUT;
	(void)loop->curl->multi_socket_action(loop->multi, fd, flags, &running);
	collect(loop);
}

static void timer_event(evutil_socket_t fd, short what, void *arg)
{
	struct curl_loop *loop = arg;
	int running;

	(void)fd;
	(void)what;
	(void)loop->curl->multi_socket_action(
		loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(loop);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct curl_loop *loop = arg;
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	(void)multi;
	return ms < 0 ? event_del(loop->timer) : event_add(loop->timer, &tv);
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
	if (what == CURL_POLL_REMOVE)
		return loop->curl->multi_assign(loop->multi, fd, NULL) ? -1 : 0;
	if (what & CURL_POLL_IN)
		flags |= EV_READ;
	if (what & CURL_POLL_OUT)
		flags |= EV_WRITE;
	event = event_new(loop->base, fd, flags, socket_event, loop);
	/* If this fails, the request ends by its timeout. */
	if (event && event_add(event, NULL) != 0) {
		event_free(event);
		event = NULL;
	}
	return loop->curl->multi_assign(loop->multi, fd, event) || !event ? -1
									  : 0;
}

int curl_loop_open(struct curl_loop *loop, struct event_base *base,
	const struct libcurl *curl, curl_loop_done_fn *done, void *arg)
{
	*loop = (struct curl_loop){
		.base = base, .curl = curl, .done = done, .arg = arg};
	loop->timer = evtimer_new(base, timer_event, loop);
	loop->multi = loop->timer ? curl->multi_init() : NULL;
	if (loop->multi &&
		!curl->multi_setopt(
			loop->multi, CURLMOPT_SOCKETFUNCTION, set_socket) &&
		!curl->multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop) &&
		!curl->multi_setopt(
			loop->multi, CURLMOPT_TIMERFUNCTION, set_timer) &&
		!curl->multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop))
		return 0;
	curl_loop_close(loop);
	return -1;
}

void curl_loop_close(struct curl_loop *loop)
{
	if (loop->multi)
		(void)loop->curl->multi_cleanup(loop->multi);
	if (loop->timer)
		event_free(loop->timer);
	*loop = (struct curl_loop){0};
}
