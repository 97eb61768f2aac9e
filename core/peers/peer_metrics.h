/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics of connections, handshakes, and sessions.
 */
#ifndef PEER_METRICS_H
#define PEER_METRICS_H

#include <stdint.h>

struct metrics_shard;

enum peer_metric {
	PEER_CONNECTIONS,           /* gauge, by enum peer_conn_label */
	PEER_CONNECTIONS_ACCEPTED,  /* counter */
	PEER_CONNECTIONS_REFUSED,   /* counter, by enum peer_refused_label */
	PEER_CONNECTIONS_CLOSED,    /* counter, by enum relay_reason */
	PEER_HANDSHAKES,            /* counter, by enum peer_handshake_label */
	PEER_HANDSHAKE_DURATION,    /* histogram, us */
	PEER_SESSIONS,              /* gauge */
	PEER_SESSIONS_CLOSED,       /* counter, by enum relay_reason */
	PEER_SESSION_TRAFFIC,       /* counter, bytes; each byte once */
	PEER_SESSION_KERNEL_MEMORY, /* gauge, bytes */
	PEER_SESSION_DURATION,      /* histogram, ms */
	PEER_HANDSHAKE_FAILURES,    /* counter, by enum tls_failure */
	PEER_SESSION_SIZE,          /* histogram, bytes */
	PEER_SHAPING_WAIT,          /* histogram, ms */
	PEER_SESSIONS_STALLED,      /* gauge */
	PEER_SESSIONS_SQUEEZED,     /* gauge */
	PEER_SESSIONS_REFUSED,      /* counter */
	PEER_CONNECTIONS_CUT,       /* counter */
	PEER_LINGERING,             /* gauge */
	PEER_ROOM_MADE,             /* counter, by enum peer_room_label */
	PEER_STRANGERS,             /* gauge */
	PEER_HANDSHAKES_WAITED,     /* counter */
	PEER_LINGER_REFUSED,        /* counter, by enum peer_linger_label */
	PEER_PROXY_CONNECTIONS,     /* counter, by enum peer_proxy_label */
	PEER_PROXY_WAITING,         /* gauge */
	PEER_QUESTIONS,             /* gauge, by enum question_kind */
	PEER_QUESTIONS_SETTLED,     /* counter, by enum peer_question_label */
	PEER_QUESTIONS_REFUSED,     /* counter, by enum peer_question_bound */
	PEER_ANSWERS_DROPPED,       /* counter, by enum peer_dropped_label */
	PEER_QUESTION_DURATION,     /* histogram, us, by enum question_kind */
	PEER_PIPES_REFUSED,         /* counter */
	PEER_SESSION_MOVES,         /* counter */
	PEER_TLS_DETACHED,          /* gauge */
	PEER_METRIC_COUNT
};

enum peer_conn_label { PEER_CONN_OPENING, PEER_CONN_TLS, PEER_CONN_PLAIN };
enum peer_refused_label { PEER_REFUSED_LIMIT, PEER_REFUSED_FILTER };
enum peer_room_label { PEER_ROOM_DESCRIPTORS, PEER_ROOM_MODULE };
enum peer_linger_label { PEER_LINGER_SOURCE, PEER_LINGER_PLACES };
enum peer_proxy_label {
	PEER_PROXY_CLIENT,
	PEER_PROXY_CHECK,
	PEER_PROXY_UNTRUSTED,
	PEER_PROXY_BAD,
	PEER_PROXY_LONG,
	PEER_PROXY_CHECKSUM,
	PEER_PROXY_TIME,
	PEER_PROXY_CLOSED,
	PEER_PROXY_ROOM,
	PEER_PROXY_MEMORY,
};
enum peer_question_label {
	PEER_QUESTION_PASSED,
	PEER_QUESTION_DENIED,
	PEER_QUESTION_NO_ANSWER,
	PEER_QUESTION_MODULE_LEFT,
	PEER_QUESTION_CLOSED
};
enum peer_question_bound {
	PEER_QUESTION_DEVICE,
	PEER_QUESTION_SOURCE,
	PEER_QUESTION_ALL,
	PEER_QUESTION_MEMORY
};
enum peer_dropped_label {
	PEER_DROPPED_LATE,
	PEER_DROPPED_SECOND,
	PEER_DROPPED_FOREIGN
};
enum peer_handshake_label { PEER_HANDSHAKE_OK, PEER_HANDSHAKE_FAILED };

/* [C] after metrics_init(), before threads start.  0, or -1 logged. */
int peer_metrics_init(void);

/* Own shard.  Both do nothing before peer_metrics_init(). */
void peer_count(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t by);
void peer_observe(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t seen);

#endif
