/* SPDX-License-Identifier: MPL-2.0 */

/* queue_schedule.h - chooses the next action for a requested device; queues.h
 * has the rules. */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/question.h>

#include "relay/requests/queues.h"

/* QUEUE_SLICE_MS is shortened to this if many wait. */
#define QUEUE_SLICE_LEAST_MS 1000
/* How many invitations of a queue, the oldest, are compared for one action. */
#define QUEUE_COMPARED 1024

/* The next action for a device. */
enum action_kind {
	ACTION_NONE,
	ACTION_WAIT, /* check again later */
	ACTION_SEND, /* send it an invitation */
	ACTION_END,  /* end its session if it has not answered in it */
	/*
	 * Only inside the table: drop an invitation that was sent and not
	 * taken, because a better one has come.
	 */
	ACTION_WITHDRAW,
};

struct action {
	uint8_t kind;         /* enum action_kind */
	uint8_t from[ID_LEN]; /* ACTION_SEND: the requester */
	uint8_t key[ID_LEN];  /* ACTION_SEND: the device's key */
	/* ACTION_SEND: where another relay holds the session; key_len 0: here.
	 */
	struct relay_found found;
	/*
	 * ACTION_END: `half` and `serial` are those of the device's last
	 * session, `previous` and `previous_serial` of the one before; conn 0
	 * means none.  If the device has sent anything in the last session, the
	 * one before is ended, else the last one.
	 */
	struct place half, previous;
	uint64_t serial, previous_serial;
	unsigned compared; /* how many invitations it took to decide */
	struct pending *withdrawn;
};

/*
 * The next action for a device, which is then recorded as done.  `present`: the
 * device is connected.  `all`: send everything that waits.
 */
void queues_schedule(struct queues *queues, const uint8_t target[ID_LEN],
	bool present, bool all, int64_t now_ms, struct action *action);

#endif
