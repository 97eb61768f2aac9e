/* SPDX-License-Identifier: MPL-2.0 */

/*
 * lines.h - for each device that is asked for, who is next.
 *
 * Syncthing takes invitations one by one: it joins the session, shakes hands,
 * for 10 s if the other side is silent, and only then looks at the next.  So a
 * device is sent an invitation when it has taken the last one, and what it has
 * not been sent waits here, where it can still be put in a better order:
 *   - askers with whom it has had a session before (see standing.h) come first,
 *     those of sources that only kept devices busy come last;
 *   - among equals, those whose side of the session has come and said
 *     something, as who begins a handshake does; then those who have come;
 *   - then by source, in turn; then the oldest.
 * What is not among the better ones is sent only when the device has had time
 * to finish what it took, so that it is not in the way of one that comes later.
 *
 * A device that takes the next one while it is busy is not one that takes them
 * one by one: it is sent all, as fast as it takes them.
 *
 * A session that the device took, and that seems to keep it busy, since it does
 * not take the next one, is ended after a turn if that one deserves it as much.
 * Where nobody waits, invitations pass at once, and nothing is ended.
 *
 * Part of struct pending_table, under its lock.  Times are milliseconds of the
 * monotonic clock.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "directory.h"
#include "standing.h"

/* For so long a device may be busy with one before others have a turn. */
#define LINES_TURN_MS 3000
/* The same where many wait. */
#define LINES_TURN_LEAST_MS 1000
/* After this the next one is sent to a device that takes none. */
#define LINES_UNTAKEN_MS 1000
/* After this no device is busy any more with a session that it has taken. */
#define LINES_BUSY_MS 12000

struct line;
struct pending;

struct lines {
	struct line *by_id;                  /* uthash, by the device's ID */
	struct line *open_first;             /* ring: wait for some time */
	struct line *busy_first, *busy_last; /* by since when busy */
	struct standing standing;
	uint64_t turns;   /* drawn so far */
	unsigned open;    /* lines in the ring */
	unsigned waiting; /* invitations that have not been sent */
};

/* What is to be done next for a device. */
enum deal_what {
	DEAL_NOTHING,
	DEAL_WAIT, /* look again after some time */
	DEAL_SEND, /* an invitation to it */
	DEAL_END,  /* what it is busy with; then see pending_blame() */
	/* To the table only: one that was sent goes, since a better one came
	 * before the device took it. */
	DEAL_WITHDRAW,
};

struct deal {
	uint8_t what;         /* enum deal_what */
	uint8_t from[ID_LEN]; /* DEAL_SEND: who asks; DEAL_END: its source */
	uint8_t key[ID_LEN];  /* and the device's key */
	struct place half;    /* DEAL_END: a connection of that session */
	struct pending *withdrawn;
};

void lines_finish(struct lines *lines);

/* Takes it into its device's line.  0, or -1 without memory. */
int lines_enter(struct lines *lines, struct pending *pending);
/*
 * Who has to leave that line before another one fits, so that no more than
 * `each` are of one asker or one source, and no more than `all` in it (0: any
 * number); NULL: nobody; for_it: itself, since all others are better.  Of those
 * with the worst standing it is one of the source that would have most: who
 * asks again and again gives up his own.  Then those go whose side of the
 * session has not come, and then the oldest.
 */
struct pending *lines_victim(struct lines *lines, struct pending *for_it,
	const uint8_t source[][ID_LEN], unsigned levels, int64_t each,
	int64_t all, int64_t now_ms);
/* Its device has come; `first` is the half that came first. */
void lines_taken(struct lines *lines, struct pending *pending,
	struct place first, int64_t now_ms);
/* It leaves the table: because it has begun, or it will not. */
void lines_leave(struct lines *lines, struct pending *pending, bool begun,
	int64_t now_ms);
/* The session of that turn is over, which the device took. */
void lines_over(
	struct lines *lines, const uint8_t target[ID_LEN], uint64_t turn);

/* The oldest of those that wait for a device, or NULL. */
struct pending *lines_waiting(
	const struct lines *lines, const uint8_t target[ID_LEN]);
/* What is due for a device; it counts as done.  `present`: it can be sent to.
 * `all`: whatever waits is sent. */
void lines_deal(struct lines *lines, const uint8_t target[ID_LEN], bool present,
	bool all, int64_t now_ms, struct deal *deal);
/* The next line that waits for time, or false: none does. */
bool lines_next_open(struct lines *lines, uint8_t target[ID_LEN]);
/* Forgets devices that are not busy any more. */
void lines_forget(struct lines *lines, int64_t now_ms);

#endif
