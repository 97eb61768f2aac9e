/* SPDX-License-Identifier: MPL-2.0 */

/* The devices of this node: joins, leaves, messages, results. */

#include <stdlib.h>
#include <string.h>

#include "cluster/claims/claims.h"
#include "cluster/claims/claims_state.h"

/* A message may be lost, and is sent three times: once, as a note, and as the
 * same note again. */
#define REPEATS 1

struct claims *claims_new(
	uint64_t self, const struct claims_calls *calls, void *arg)
{
	struct claims *claims = calloc(1, sizeof(*claims));

	if (!claims)
		return NULL;
	claims->calls = calls;
	claims->arg = arg;
	claims->self = self;
	claims->era = 1;
	if (claim_table_init(&claims->table) == 0)
		return claims;
	claims_free(claims);
	return NULL;
}

void claims_free(struct claims *claims)
{
	if (!claims)
		return;
	notes_finish(&claims->notes);
	claim_table_finish(&claims->table);
	free(claims);
}

int claims_joined(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, int64_t now_ms)
{
	struct claim *claim = claim_table_find(&claims->table, id);

	if (!claim)
		claim = claim_table_add(&claims->table, id);
	if (!claim)
		return -1;
	if (!claim->conn)
		claims->here++;
	claim->worker = (int16_t)conn.worker;
	claim->conn = conn.conn;
	claim->flags &= (uint16_t) ~(CLAIM_PROBED | CLAIM_DEFENDS |
				     CLAIM_DOUBTED | CLAIM_ENDS | CLAIM_UNSEEN);
	claim->flags |= CLAIM_JOINS;
	claim_wait(claims, claim);
	claims_pump(claims, now_ms);
	return 0;
}

void claims_left(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, int64_t now_ms)
{
	struct claim *claim = claim_here(claims, id);

	if (!claim || !claim_has_conn(claim, conn))
		return;
	claim_gone(claims, claim);
	claims_pump(claims, now_ms);
}

/* The node that has another connection of the device is told of ours. */
static void tell(struct claims *claims, const struct note *note)
{
	if (note->what == NOTE_ALIVE)
		claims->calls->tell_alive(
			claims->arg, note->to, note->id, note->theirs);
	else
		claims->calls->tell_claimed(
			claims->arg, note->to, note->id, note->epoch);
}

static void tell_and_note(struct claims *claims, const struct claim *claim,
	enum note_what what, const struct owner *to, uint64_t epoch,
	int64_t now_ms)
{
	struct note note = {.to = to->incarnation,
		.theirs = to->epoch,
		.epoch = epoch,
		.what = (uint8_t)what,
		.left = REPEATS};

	memcpy(note.id, claim->id, sizeof(note.id));
	tell(claims, &note);
	if (notes_add(&claims->notes, &note, now_ms + CLAIMS_REPEAT_MS) != 0)
		claims->count.unrepeated++;
}

static bool is_other(const struct claims *claims, const struct owner *owner)
{
	return owner->incarnation && owner->incarnation != claims->self;
}

/* The device has left while its claim was under way. */
static void settle_left(struct claims *claims, struct claim *claim,
	const struct owner *before, const struct owner *now_owner,
	int64_t now_ms)
{
	if (is_other(claims, now_owner)) {
		claim_forget(claims, claim);
		return;
	}
	/* It must be released now.  The one that it was taken from may be there
	 * still: told so, it defends itself, and so has an entry again. */
	if (now_owner->incarnation && is_other(claims, before))
		tell_and_note(claims, claim, NOTE_CLAIMED, before,
			now_owner->epoch, now_ms);
	claim_wait(claims, claim);
}

static void settle_ours(struct claims *claims, struct claim *claim, bool join,
	const struct owner *before, const struct owner *now_owner,
	int64_t now_ms)
{
	/* The sign of life says nothing of a claim that came after it. */
	bool defends = join && (claim->flags & CLAIM_DEFENDS) &&
		       before->epoch <= claim->rival;
	uint64_t told = claim->epoch;

	claim->epoch = now_owner->epoch;
	claim_set_known(claims, claim, true);
	if (!join && before->incarnation != claims->self)
		claims->count.healed++;
	if (join)
		claim->flags &= (uint16_t)~CLAIM_DEFENDS;
	if (join && told > now_owner->epoch && !(claim->flags & CLAIM_JOINS))
		claim_doubt(claims, claim, told, now_ms);
	if (!is_other(claims, before))
		return;
	if (defends)
		claims->count.defended++;
	tell_and_note(claims, claim, defends ? NOTE_ALIVE : NOTE_CLAIMED,
		before, now_owner->epoch, now_ms);
}

static void settle_theirs(struct claims *claims, struct claim *claim, bool join,
	const struct owner *now_owner, int64_t now_ms)
{
	claim_set_known(claims, claim, false);
	if (claim->flags & CLAIM_JOINS) /* it has joined again since then */
		return;
	if (join) /* against what it promises: the next check sees again */
		return;
	if (claims->calls->lives(claims->arg, now_owner->incarnation)) {
		claim_doubt(claims, claim, now_owner->epoch, now_ms);
		return;
	}
	claims->count.healed++;
	claim->flags |= CLAIM_JOINS;
}

static void settle(struct claims *claims, struct claim *claim, bool join,
	const struct owner *before, const struct owner *now_owner,
	int64_t now_ms)
{
	if (!claim->conn) {
		settle_left(claims, claim, before, now_owner, now_ms);
		return;
	}
	if (!now_owner->incarnation) {
		if (join)
			claim->flags |= CLAIM_JOINS;
		claim->flags &= (uint16_t)~CLAIM_DEFENDS;
		claim_wait(claims, claim);
	} else if (now_owner->incarnation == claims->self) {
		settle_ours(claims, claim, join, before, now_owner, now_ms);
	} else {
		settle_theirs(claims, claim, join, now_owner, now_ms);
	}
	if (claim->flags & CLAIM_JOINS)
		claim_wait(claims, claim);
}

void claims_claimed(struct claims *claims, const uint8_t *id,
	const struct owner *before, const struct owner *now_owner,
	int64_t now_ms)
{
	struct claim *claim = claim_table_find(&claims->table, id);
	bool join;

	if (!claim || !(claim->flags & CLAIM_FLIES))
		return;
	claims->flights--;
	join = claim->flags & CLAIM_JOINING;
	claim->flags &= (uint16_t) ~(CLAIM_FLIES | CLAIM_JOINING);
	claims_heard(claims, before->epoch);
	claims_heard(claims, now_owner->epoch);
	if (now_owner->incarnation)
		claims->failures = 0;
	else
		claims_failed(claims, now_ms);
	settle(claims, claim, join, before, now_owner, now_ms);
	claims_pump(claims, now_ms);
}

void claims_back(struct claims *claims, bool whole, int64_t now_ms)
{
	claims_walk(claims, now_ms); /* no time passes while it is away */
	claims->away = false;
	claims->failures = 0;
	claims->pause_ms = now_ms;
	if (!whole)
		claims_hurry(claims);
	claims_pump(claims, now_ms);
}

void claims_away(struct claims *claims, int64_t now_ms)
{
	claims_walk(claims, now_ms);
	claims->away = true;
}

void claims_lapsed(struct claims *claims, int64_t now_ms)
{
	claims_walk(claims, now_ms);
	claims_hurry(claims);
}

/*
 * Whether a claim is on its way whose result tells more than a message.  If it
 * is older than the one that the message is of, it is looked into afterwards:
 * until then its epoch is the one that was told.
 */
static bool is_joining(struct claim *claim, uint64_t epoch)
{
	if (!(claim->flags & (CLAIM_JOINS | CLAIM_JOINING)))
		return false;
	if (epoch > claim->epoch)
		claim->epoch = epoch;
	return true;
}

void claims_told_claimed(struct claims *claims, uint64_t from,
	const uint8_t *id, uint64_t epoch, int64_t now_ms)
{
	struct claim *claim = claim_here(claims, id);

	claims_heard(claims, epoch);
	if (!claim || from == claims->self || is_joining(claim, epoch))
		return;
	if (epoch > claim->epoch ||
		(epoch == claim->epoch && from > claims->self)) {
		if (!(claim->flags & CLAIM_PROBED))
			claim_doubt(claims, claim, epoch, now_ms);
		return;
	}
	/* An old message, or a registry whose epochs have gone back. */
	claim_wait(claims, claim);
	claims_pump(claims, now_ms);
}

void claims_told_alive(struct claims *claims, uint64_t from, const uint8_t *id,
	uint64_t epoch, int64_t now_ms)
{
	struct claim *claim = claim_here(claims, id);

	claims_heard(claims, epoch);
	/* The one that lives has an epoch above the one that it answers. */
	if (!claim || from == claims->self || is_joining(claim, epoch + 1) ||
		epoch < claim->epoch)
		return;
	if (epoch == claim->epoch) {
		claim_end(claims, claim, false, now_ms);
		return;
	}
	/* A claim that we do not know of: the registry will tell. */
	claim_wait(claims, claim);
	claims_pump(claims, now_ms);
}

void claims_probed(struct claims *claims, const uint8_t *id,
	struct claim_conn conn, bool alive, int64_t now_ms)
{
	struct claim *claim = claim_here(claims, id);

	if (!claim || !claim_has_conn(claim, conn) ||
		!(claim->flags & CLAIM_PROBED))
		return;
	claim->flags &= (uint16_t)~CLAIM_PROBED;
	if (!alive) {
		/* The other one may have left, and a check have made it ours
		 * again. */
		claim_end(claims, claim, true, now_ms);
		claims_pump(claims, now_ms);
		return;
	}
	claim->flags |= CLAIM_JOINS | CLAIM_DEFENDS;
	claim_wait(claims, claim);
	claims_pump(claims, now_ms);
	/* When its turn comes, the sign of life may be an old one. */
	if (claim->flags & CLAIM_WAITS)
		claim->flags &= (uint16_t)~CLAIM_DEFENDS;
}

void claims_missed(struct claims *claims, const uint8_t *id)
{
	struct claim *claim = claim_table_find(&claims->table, id);
	struct claim_conn conn;

	if (!claim) {
		(void)claims->calls->release(claims->arg, id, claims->serial);
		return;
	}
	conn = (struct claim_conn){claim->worker, claim->conn};
	if (claim->conn && !(claim->flags & (CLAIM_PROBED | CLAIM_ENDS)) &&
		claims->calls->probe(claims->arg, id, conn) == 0) {
		claim->flags |= CLAIM_PROBED;
		claim->rival = 0;
	}
}

static void repeat(struct claims *claims, struct note *note)
{
	struct claim *claim = claim_here(claims, note->id);

	if (!claim && note->what == NOTE_ALIVE)
		note->what = NOTE_CLAIMED;
	/* That there was a newer one stays true when that one has left. */
	tell(claims, note);
}

int64_t claims_tick(struct claims *claims, int64_t now_ms)
{
	struct note *note = NULL;

	/* What is told while the registry is away is lost. */
	while (!claims->away &&
		(note = notes_due(&claims->notes, now_ms)) != NULL) {
		repeat(claims, note);
		notes_done(&claims->notes, note, now_ms + CLAIMS_REPEAT_MS);
	}
	claims_again(claims, now_ms);
	claims_walk(claims, now_ms);
	claims_pump(claims, now_ms);
	return claims_idle_ms(claims, now_ms);
}

bool claims_has(const struct claims *claims, const uint8_t *id)
{
	return claim_here(claims, id) != NULL;
}

void claims_counts(const struct claims *claims, struct claims_count *out)
{
	*out = claims->count;
	out->devices = claims->here;
	/* Without a lease an entry means nothing to others. */
	out->unclaimed = claims->here - (claims->away ? 0 : claims->known);
}
