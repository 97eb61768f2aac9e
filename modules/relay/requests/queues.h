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
 * has at least the same rank, unless the device has answered in it.  The device
 * stays busy until the session is over, because an invitation that it cannot
 * take yet would only delay better ones that come later.  The source that
 * requested a session is blamed for the time that others waited in vain.  If
 * none waits, invitations are sent at once, and no session is ended.
 *
 * An invitation to a session that another relay holds waits its turn here like
 * others, and is forgotten by the rules above when it is sent: a device that
 * went elsewhere is not late here.  A pace bounds them.
 *
 * Part of struct pending_table, under its lock.  Times are milliseconds of the
 * monotonic clock.
 */
#ifndef QUEUES_H
#define QUEUES_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/devices/directory.h"
#include "relay/requests/pending_session.h"
#include "relay/requests/reputation.h"

/* How long a device may be busy with a session while others wait. */
#define QUEUE_SLICE_MS 3000
/*
 * After this the next invitation is sent to a device that has not taken the
 * last.
 */
#define QUEUE_UNTAKEN_MS 1000
/* After this a device is not considered busy with a session any more. */
#define QUEUE_BUSY_MS 12000
/* Between two invitations to other relays: nobody here learns when the device
 * has taken one. */
#define QUEUE_AWAY_MS 250
/* After this it is not considered to wait for the Hello of a session. */
#define QUEUE_HELLO_MS 32000

/* A session that a device took, and may be busy with. */
struct busy {
	struct place half; /* conn 0: not busy */
	int64_t since_ms;
	uint64_t serial;
	bool slice_over; /* its end was requested, at most once */
	uint8_t asker[ID_LEN];
	uint8_t source[ID_LEN];
};

/* Exists while it has invitations, or while its device may be busy. */
struct queue {
	UT_hash_handle hh;
	struct queue *active_next, *active_prev; /* NULL: not active */
	struct queue *busy_next, *busy_prev;
	struct pending *first; /* utlist, oldest first */
	unsigned count, waiting, sent;
	/*
	 * An invitation was sent and not taken; it may have left the queue
	 * meanwhile.
	 */
	bool untaken;
	int64_t untaken_ms; /* since when */
	/*
	 * The device took an invitation at once while busy with the previous
	 * one, and has let none wait since.
	 */
	bool parallel;
	struct busy busy; /* the last one */
	/*
	 * The one before.  Syncthing 1.19 waits up to 20 s for its peer's Hello
	 * after the handshake; meanwhile it takes only one more session.
	 */
	struct busy previous;
	/* When the last invitation to another relay was sent. */
	int64_t away_ms;
	/* The source of a session that was ended as the previous one. */
	uint8_t suspect[ID_LEN];
	int64_t suspect_ms; /* when; 0: none */
	uint8_t id[ID_LEN];
};

struct queues {
	struct queue *by_id;        /* uthash, by device ID */
	struct queue *active_first; /* utlist, a ring of those that a timer must
				       check */
	struct queue
		*busy_first; /* utlist, sorted by the time they became busy */
	struct reputation reputation;
	/* The last number that a session or a served source got. */
	uint64_t last_serial;
	unsigned active;  /* queues in the ring */
	unsigned waiting; /* invitations not sent yet */
};

void queues_finish(struct queues *queues);

/* Adds it to its device's queue.  0, or -1 if memory is short. */
int queues_add(struct queues *queues, struct pending *pending);
/*
 * The requested device has connected; `first` is the half that connected first.
 */
void queues_taken(struct queues *queues, struct pending *pending,
	struct place first, int64_t now_ms);
/* It leaves its queue, because its session has begun or never will. */
void queues_remove(struct queues *queues, struct pending *pending, bool begun,
	int64_t now_ms);
/*
 * The session with that serial number, which the device took, is over.
 * `answered`: the requested device has sent more than a handshake in it.
 */
void queues_session_over(struct queues *queues, const uint8_t target[ID_LEN],
	uint64_t serial, bool answered, int64_t now_ms);

/* The oldest invitation that waits for a device, or NULL. */
struct pending *queues_first_waiting(
	const struct queues *queues, const uint8_t target[ID_LEN]);
/* The next active queue of the ring; false if none is active. */
bool queues_next_active(struct queues *queues, uint8_t target[ID_LEN]);
/* Removes devices that are not busy any more. */
void queues_forget(struct queues *queues, int64_t now_ms);

/* For the parts that schedule and evict. */

/* NULL: the queue is empty, and its device is not busy. */
struct queue *queue_find(const struct queues *queues, const uint8_t *id);
/* Whether its next action waits for a time, so that a timer must check it; see
 * queue_scan.h. */
void queue_activate(struct queues *queues, struct queue *queue);
void queue_deactivate(struct queues *queues, struct queue *queue);
/* The device is not busy any more. */
void queue_free_device(struct queues *queues, struct queue *queue);
/* Frees it if it is not needed any more. */
void queue_tidy(struct queues *queues, struct queue *queue);
/*
 * The source to remember.  The device ID, which costs an attacker nothing, is
 * only used if all requests come from one address.
 */
const uint8_t *queue_origin(const struct pending *pending);
/*
 * The requester's side: 0: connected and has sent data, 1: connected, 2: not
 * connected.
 */
int queue_side_rank(const struct pending *pending);
/* The current rank of an invitation in a queue. */
enum reputation_rank queue_rank(const struct queues *queues,
	const struct pending *pending, int64_t now_ms);

#endif
