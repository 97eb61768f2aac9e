/* SPDX-License-Identifier: MPL-2.0 */

/* Chooses the next action for a requested device. */

#include <string.h>

#include "relay/requests/queue_item.h"

int line_behind(const struct pending *pending)
{
	return pending->spoke ? 0 : pending->pair.half.conn ? 1 : 2;
}

/* Lower is better: the standing, then the state of the requester's side. */
static int score_of(const struct lines *lines, const struct pending *pending,
	int64_t now_ms)
{
	return 3 * (int)line_rank(lines, pending, now_ms) +
	       line_behind(pending);
}

/* Up to this score an invitation may be sent to a busy device. */
#define SCORE_AHEAD (3 * STANDING_UNKNOWN)
#define SCORE_WORST (3 * STANDING_IDLE + 2)

static uint64_t turn_of(const struct pending *pending)
{
	const struct share *source = widest(pending);

	return source ? source->turn : 0;
}

/* The best at that stage, or NULL. */
static struct pending *best(const struct lines *lines, const struct line *line,
	enum stage stage, int64_t now_ms, int *score)
{
	struct pending *found = NULL;
	unsigned compared = 0;

	*score = SCORE_WORST + 1;
	for (struct pending *p = line->first; p && compared < LINES_COMPARED;
		p = p->line_next) {
		int other;

		compared++;
		if (p->stage != stage)
			continue;
		other = score_of(lines, p, now_ms);
		if (found && (other > *score ||
				     (other == *score &&
					     turn_of(p) >= turn_of(found))))
			continue;
		found = p;
		*score = other;
	}
	return found;
}

/* Shorter if many wait. */
static int64_t turn_ms(const struct line *line)
{
	int64_t ms = LINES_TURN_MS / (1 + line->waiting / 8);

	return ms > LINES_TURN_LEAST_MS ? ms : LINES_TURN_LEAST_MS;
}

static bool had_turn(const struct line *line, int64_t now_ms)
{
	return now_ms - line->busy.since_ms >= turn_ms(line);
}

/*
 * Whether the session that the device is busy with has had its turn, and
 * another of at least the same rank waits.
 */
static bool is_stuck(const struct lines *lines, const struct line *line,
	int score, int64_t now_ms)
{
	const struct busy *busy = &line->busy;
	enum standing_rank rank;

	if (!busy->half.conn || !line->out || !had_turn(line, now_ms) ||
		now_ms - line->out_ms < turn_ms(line))
		return false;
	rank = standing_rank(
		&lines->standing, busy->asker, line->id, busy->source, now_ms);
	/* A known pair is slow for a good reason. */
	return rank != STANDING_FRIEND && score <= 3 * (int)rank + 2;
}

static void end_busy(struct lines *lines, struct line *line, int64_t now_ms,
	struct deal *deal)
{
	deal->what = DEAL_END;
	deal->half = line->busy.half;
	memcpy(deal->from, line->busy.source, ID_LEN);
	line_free_device(lines, line);
	/* Only now can the device take the next one. */
	line->out_ms = now_ms;
}

/* Whether an invitation of that score may be sent now. */
static bool has_window(const struct line *line, int score, int64_t now_ms)
{
	if (!line->busy.half.conn)
		return !line->out || now_ms - line->out_ms >= LINES_UNTAKEN_MS;
	/* An invitation of a low rank would block better ones. */
	return !line->out && (line->parallel || score <= SCORE_AHEAD ||
				     had_turn(line, now_ms));
}

static void send_it(struct lines *lines, struct pending *pending,
	int64_t now_ms, struct deal *deal)
{
	struct line *line = pending->line;
	struct share *source = widest(pending);

	deal->what = DEAL_SEND;
	memcpy(deal->from, pending->pair.id[SIDE_CLIENT], ID_LEN);
	memcpy(deal->key, pending->key[SIDE_SERVER].key, ID_LEN);
	pending->stage = STAGE_SENT;
	line->out = true;
	line->out_ms = now_ms;
	line->waiting--;
	lines->waiting--;
	line->sent++;
	if (source)
		source->turn = ++lines->turns;
}

static bool waits_for_time(const struct line *line)
{
	return line->waiting || (line->sent && line->busy.half.conn);
}

/* Everything is sent, whatever its rank. */
static void deal_all(struct lines *lines, struct line *line, int64_t now_ms,
	struct deal *deal)
{
	struct pending *next = line->waiting ? line->first : NULL;

	while (next && next->stage != STAGE_WAITS)
		next = next->line_next;
	if (next)
		send_it(lines, next, now_ms, deal);
	else if (waits_for_time(line))
		deal->what = DEAL_WAIT;
}

/* The queue exists; this action may empty it. */
static void deal_line(struct lines *lines, struct line *line, bool present,
	int64_t now_ms, struct deal *deal)
{
	bool is_late = line->out && now_ms - line->out_ms >= LINES_UNTAKEN_MS;
	int score, sent_score;
	struct pending *next = best(lines, line, STAGE_WAITS, now_ms, &score);
	struct pending *sent =
		best(lines, line, STAGE_SENT, now_ms, &sent_score);

	line->parallel = line->parallel && !is_late;
	if (is_stuck(lines, line, score < sent_score ? score : sent_score,
		    now_ms)) {
		end_busy(lines, line, now_ms, deal);
	} else if (next && present && has_window(line, score, now_ms)) {
		send_it(lines, next, now_ms, deal);
	} else if (next && present && sent && line->busy.half.conn &&
		   !line->parallel && score <= SCORE_AHEAD &&
		   score < sent_score) {
		/* An unknown key ends the device's attempt at once. */
		deal->what = DEAL_WITHDRAW;
		deal->withdrawn = sent;
		line->out = false;
	} else if (waits_for_time(line)) {
		deal->what = DEAL_WAIT;
	}
}

void lines_deal(struct lines *lines, const uint8_t target[ID_LEN], bool present,
	bool all, int64_t now_ms, struct deal *deal)
{
	struct line *line;

	lines_forget(lines, now_ms);
	*deal = (struct deal){.what = DEAL_NOTHING};
	line = line_find(lines, target);
	if (!line)
		return;
	if (all && present) {
		deal_all(lines, line, now_ms, deal);
	} else {
		deal->compared = line->count < LINES_COMPARED ? line->count
							      : LINES_COMPARED;
		deal_line(lines, line, present, now_ms, deal);
	}
	if (waits_for_time(line))
		line_open(lines, line);
	else
		line_close(lines, line);
	line_tidy(lines, line);
}
