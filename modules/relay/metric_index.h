/* SPDX-License-Identifier: MPL-2.0 */

/* metric_index.h - the metrics of the module, and the words of their labels. */
#ifndef METRIC_INDEX_H
#define METRIC_INDEX_H

#include <strelaysrv/metric.h>

enum relay_metric_index {
	METRIC_DEVICES,
	METRIC_JOINS,
	METRIC_CONNECTS,
	METRIC_INVITATIONS,
	METRIC_SESSION_JOINS,
	METRIC_WAITING,
	METRIC_PENDING_KEYS,
	METRIC_HALVES, /* gauge */
	METRIC_PENDING_EXPIRED,
	METRIC_GIVEN_UP,
	METRIC_REJECTED,
	METRIC_PINGS,
	METRIC_REPLACED,
	METRIC_SENT_AWAY,
	METRIC_EVENTS_LOST,
	METRIC_REMOTE,
	METRIC_PARKED,     /* enum parked_end */
	METRIC_PARKED_NOW, /* gauge */
	RELAY_METRICS
};

/* METRIC_JOINS and METRIC_CONNECTS */
enum {
	RESULT_OK,
	RESULT_WRONG_TOKEN,
	RESULT_FULL,
	RESULT_ALREADY_JOINED,
	RESULT_NOT_FOUND,
	RESULT_REFUSED,
	RESULT_ERROR,
	RESULT_CLOSED,     /* closed to new devices, see relay_closed() */
	RESULT_NOT_JOINED, /* the requester, with `asks = joined` */
	RESULT_FOUND,      /* elsewhere, by a module */
	RESULT_LISTENER_FULL,
};

/* METRIC_REMOTE: the first follow enum remote_end. */
enum { REMOTE_RESULT_ELSEWHERE = 6, REMOTE_RESULT_PREPARED };

/* METRIC_SESSION_JOINS */
enum {
	SESSION_FIRST,
	SESSION_SECOND,
	SESSION_UNKNOWN_KEY,
	SESSION_HANDED_BACK
};

/* METRIC_GIVEN_UP */
enum {
	GIVEN_UP_ALL, /* these follow enum pending_room */
	GIVEN_UP_SOURCE,
	GIVEN_UP_QUEUE,
	GIVEN_UP_TURN
};

/* METRIC_REJECTED: an enum frame_error - 1, or one of these. */
enum {
	REJECTED_NO_CERTIFICATE = 6,
	REJECTED_CERTIFICATES,
	REJECTED_UNEXPECTED,
	REJECTED_TOO_MANY,
};

#endif
