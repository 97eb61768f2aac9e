/* SPDX-License-Identifier: MPL-2.0 */

/*
 * queues.h - the queue of invitations of each requested device.
 *
 * Syncthing takes invitations one by one: it joins the session and does a TLS
 * handshake, which takes 10 s if the other side is silent, before it looks at
 * the next.  So a device gets an invitation when it has taken the last one.
 * The others wait here and are sorted:
 *   - requests of devices that had a session with it before (see reputation.h)
 *     come first, those of sources that only kept devices busy come last;
 *   - among equals, those whose side of the session has connected and sent
 *     data, as for a handshake; then those whose side has connected;
 *   - then round robin by source; then the oldest.
 * An invitation of a lower rank is sent only when the device has had time to
 * finish its last session, so that it does not block a better one that comes
 * later.
 *
 * A device that takes the next invitation while it is busy does not work one by
 * one: it gets all invitations as fast as it takes them.
 *
 * If a device does not take the next invitation, it is considered busy with its
 * last session.  That session is ended after its time slice if the next request
 * has at least the same rank.  If none waits, invitations are sent at once, and
 * no session is ended.
 *
 * Part of struct pending_table, under its lock.  Times are milliseconds of the
 * monotonic clock.
 */
#ifndef QUEUES_H
#define QUEUES_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/devices/directory.h"
#include "relay/requests/reputation.h"

/* How long a device may be busy with a session while others wait. */
#define QUEUE_SLICE_MS 3000
/* The same if many wait. */
#define QUEUE_SLICE_LEAST_MS 1000
/*
 * After this the next invitation is sent to a device that has not taken the
 * last.
 */
#define QUEUE_UNTAKEN_MS 1000
/* After this a device is not considered busy with a session any more. */
#define QUEUE_BUSY_MS 12000
/* How many invitations of a queue, the oldest, are compared for one action. */
#define QUEUE_COMPARED 1024

struct queue;
struct pending;

struct queues {
	struct queue *by_id;        /* uthash, by device ID */
	struct queue *active_first; /* ring of queues that wait for a time */
	struct queue *busy_first,
		*busy_last; /* sorted by the time they became busy */
	struct reputation reputation;
	uint64_t
		last_serial; /* the last number of a session or an invitation */
	unsigned active;     /* queues in the ring */
	unsigned waiting;    /* invitations not sent yet */
};

/* The next action for a device. */
enum action_kind {
	ACTION_NONE,
	ACTION_WAIT, /* check again later */
	ACTION_SEND, /* send it an invitation */
	ACTION_END,  /* end its session; then see pending_blame() */
	/*
	 * Only inside the table: drop an invitation that was sent and not
	 * taken, because a better one has come.
	 */
	ACTION_WITHDRAW,
};

struct action {
	uint8_t kind;         /* enum action_kind */
	uint8_t from[ID_LEN]; /* ACTION_SEND: requester; ACTION_END: its source
			       */
	uint8_t key[ID_LEN];  /* and the device's key */
	struct place half;    /* ACTION_END: a connection of the session */
	unsigned compared;    /* how many invitations it took to decide */
	struct pending *withdrawn;
};

void queues_finish(struct queues *queues);

/* Adds it to its device's queue.  0, or -1 if memory is short. */
int queues_add(struct queues *queues, struct pending *pending);
/*
 * Which invitation must leave that queue to make room for another, so that at
 * most `each` are of one requester or one source, and at most `all` in total
 * (0: no limit).  NULL: none; for_it: the new one itself, because all others
 * are better.  Among those of the lowest rank it chooses one of the source that
 * would have the most, so that repeated requests replace their own.  Among
 * these it chooses those whose side of the session has not connected, then the
 * oldest.
 */
struct pending *queues_victim(struct queues *queues, struct pending *for_it,
	const uint8_t source[][ID_LEN], unsigned levels, int64_t each,
	int64_t all, int64_t now_ms);
/*
 * The requested device has connected; `first` is the half that connected first.
 */
void queues_taken(struct queues *queues, struct pending *pending,
	struct place first, int64_t now_ms);
/* It leaves the table, because the session has begun or never will. */
void queues_remove(struct queues *queues, struct pending *pending, bool begun,
	int64_t now_ms);
/* The session with that serial number, which the device took, is over. */
void queues_session_over(
	struct queues *queues, const uint8_t target[ID_LEN], uint64_t serial);

/* The oldest invitation that waits for a device, or NULL. */
struct pending *queues_first_waiting(
	const struct queues *queues, const uint8_t target[ID_LEN]);
/*
 * The next action for a device, which is then recorded as done.  `present`: the
 * device is connected.  `all`: send everything that waits.
 */
void queues_schedule(struct queues *queues, const uint8_t target[ID_LEN],
	bool present, bool all, int64_t now_ms, struct action *action);
/* The next queue that waits for a time; false if there is none. */
bool queues_next_active(struct queues *queues, uint8_t target[ID_LEN]);
/* Removes devices that are not busy any more. */
void queues_forget(struct queues *queues, int64_t now_ms);

#endif
