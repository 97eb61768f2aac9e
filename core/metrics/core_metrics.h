/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server's own metrics, under the module name "core".
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include <stdint.h>

struct metrics_shard;

enum core_metric {
	CORE_CONNECTIONS,           /* gauge, by enum core_conn_label */
	CORE_CONNECTIONS_ACCEPTED,  /* counter */
	CORE_ACCEPT_ERRORS,         /* counter, by enum core_accept_label */
	CORE_CONNECTIONS_REFUSED,   /* counter, by enum core_refused_label */
	CORE_CONNECTIONS_CLOSED,    /* counter, by enum relay_reason */
	CORE_HANDSHAKES,            /* counter, by enum core_handshake_label */
	CORE_HANDSHAKE_DURATION,    /* histogram, us */
	CORE_SESSIONS,              /* gauge */
	CORE_SESSIONS_CLOSED,       /* counter, by enum relay_reason */
	CORE_SESSION_TRAFFIC,       /* counter, bytes; each byte once */
	CORE_SESSION_KERNEL_MEMORY, /* gauge, bytes */
	CORE_SESSION_DURATION,      /* histogram, ms */
	CORE_TIMER_FAILURES,        /* counter */
	CORE_HANDSHAKE_FAILURES,    /* counter, by enum core_failure_label */
	CORE_SESSION_SIZE,          /* histogram, bytes */
	CORE_SHAPING_WAIT,          /* histogram, ms */
	CORE_SESSIONS_STALLED,      /* gauge */
	CORE_SESSIONS_SQUEEZED,     /* gauge */
	CORE_SESSIONS_REFUSED,      /* counter */
	CORE_CONNECTIONS_CUT,       /* counter */
	CORE_LINGERING,             /* gauge */
	CORE_LOOP_LAG,              /* histogram, us, by enum core_loop_label */
	CORE_ROOM_MADE,             /* counter, by enum core_room_label */
	CORE_STRANGERS,             /* gauge */
	CORE_METRIC_COUNT
};

enum core_conn_label { CORE_CONN_OPENING, CORE_CONN_TLS, CORE_CONN_PLAIN };
enum core_accept_label {
	CORE_ACCEPT_DESCRIPTORS, /* EMFILE, ENFILE */
	CORE_ACCEPT_MEMORY,
	CORE_ACCEPT_OTHER,
};
enum core_refused_label { CORE_REFUSED_LIMIT, CORE_REFUSED_FILTER };
enum core_failure_label {
	CORE_FAILURE_CLOSED,  /* the peer went away */
	CORE_FAILURE_TIMEOUT, /* it said nothing more */
	CORE_FAILURE_VERSION, /* it wants another TLS version */
	CORE_FAILURE_CIPHER,  /* nothing that both can */
	CORE_FAILURE_ALPN,    /* it wants another protocol inside */
	CORE_FAILURE_ALERT,   /* it refused, by an alert */
	CORE_FAILURE_OTHER,   /* it is broken, or no TLS at all */
	CORE_FAILURE_HELLO,   /* too long, or too many key shares */
	/* Its certificate is too long, or too dear to read or to verify. */
	CORE_FAILURE_CERTIFICATE,
	CORE_FAILURE_LATE, /* its turn came when it must have given up */
};
enum core_room_label { CORE_ROOM_DESCRIPTORS, CORE_ROOM_MODULE };
enum core_loop_label { CORE_LOOP_CONTROL, CORE_LOOP_WORKER };
enum core_handshake_label { CORE_HANDSHAKE_OK, CORE_HANDSHAKE_FAILED };

/* [C] after metrics_init(), before threads start.  0, or -1 logged. */
int core_metrics_init(void);

/* Own shard.  Both do nothing before core_metrics_init(). */
void core_count(struct metrics_shard *shard, enum core_metric which,
	unsigned value, int64_t by);
void core_observe(struct metrics_shard *shard, enum core_metric which,
	unsigned value, int64_t seen);

#endif
