/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the server keeps of a session: two connections, and a flow from each to
 * the other.
 */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/session.h>

#include "modules/hooks.h"
#include "net/stall_judge.h"
#include "workers/deadlines.h"
#include "workers/worker.h"

struct pipe;
struct relay_conn;

/* Bytes on their way from conn[i] to conn[1 - i]. */
struct flow {
	struct pipe *pipe;   /* lent by the pool while it holds bytes */
	size_t piped;        /* bytes in the pipe */
	unsigned char *tail; /* owned: copied bytes that send did not take */
	size_t tail_at, tail_len;
	int64_t resume_ms;   /* a grant of 0 pauses it until then; 0: none */
	uint64_t bytes;      /* passed on so far */
	uint8_t small_reads; /* in a row, while in bulk */
	bool readable : 1;   /* the source may have bytes */
	bool writable : 1;   /* the sink may take bytes */
	bool hung_up : 1;    /* the source has closed: read until the end */
	bool bulk : 1;       /* splice, not copy */
	bool at_eof : 1;     /* the source ended */
	bool done : 1;       /* the source ended, and the sink was told */
	bool heavy : 1;      /* its last run took long, see pump.c */
	bool was_bulk : 1;   /* has been in bulk at least once */
	bool fitted : 1; /* socket_memory_fit() has bounded the sink's buffer */
	bool autotuned : 1; /* the kernel sizes the source's buffer */
	bool reset : 1;     /* the source's end was a reset */
	size_t left; /* while the session is ending: bytes still to read */
};

struct relay_session {
	struct worker *worker; /* borrowed */
	const struct layout *layout;
	struct relay_module *protocol; /* that has paired them */
	struct relay_conn *conn[2];
	struct flow flow[2];
	struct stall stall[2];             /* of each flow */
	struct relay_session *ready_next;  /* on the worker's list `ready` */
	struct relay_session *paused_next; /* on the worker's list `paused` */
	struct relay_session **paused_at;  /* what points to it there */
	struct deadline watch; /* the next check, see session_watch.h */
	uint64_t id;
	int64_t watch_ms; /* when that is */
	int64_t start_ms;
	int64_t moved_ms;  /* when the last byte came, or went */
	int64_t looked_ms; /* moved_ms at the last look for a missed end */
	int64_t idle_ms;   /* how long it may be idle */
	int unacked[2];    /* SIOCOUTQ of each side at the last check */
	/* Kernel memory of its sockets and pipes by direction, at the last
	 * check, see session_memory.h; and how much of it has stalled for long.
	 */
	size_t held[2], stalls[2];
	uint32_t moves;  /* to other workers, so far */
	int16_t move_to; /* a worker, see session_move.h; -1: it stays */
	uint8_t asked;   /* how many modules were asked, see hooks.h */
	bool ready : 1;  /* is on the list `ready`, or `departing` */
	bool paused : 1; /* is on the list `paused` */
	bool dead : 1;   /* ended; freed when it leaves the lists */
	bool ending : 1; /* see session_wind_up */
	_Alignas(max_align_t) unsigned char blocks[]; /* of the modules */
};

#endif
