/* SPDX-License-Identifier: MPL-2.0 */

/* The queue of invitations of each requested device. */

#include <stdlib.h>
#include <string.h>

#include "relay/requests/queue_item.h"

struct line *line_find(const struct lines *lines, const uint8_t *id)
{
	struct line *line;

	HASH_FIND(hh, lines->by_id, id, ID_LEN, line);
	return line;
}

void line_close(struct lines *lines, struct line *line)
{
	if (!line->open_next)
		return;
	lines->open--;
	if (lines->open_first == line)
		lines->open_first =
			line->open_next == line ? NULL : line->open_next;
	line->open_prev->open_next = line->open_next;
	line->open_next->open_prev = line->open_prev;
	line->open_next = line->open_prev = NULL;
}

void line_open(struct lines *lines, struct line *line)
{
	struct line *first = lines->open_first;

	if (line->open_next)
		return;
	lines->open++;
	line->open_next = first ? first : line;
	line->open_prev = first ? first->open_prev : line;
	line->open_prev->open_next = line;
	line->open_next->open_prev = line;
	if (!first)
		lines->open_first = line;
}

static void free_line(struct lines *lines, struct line *line)
{
	line_close(lines, line);
	HASH_DEL(lines->by_id, line);
	free(line);
}

void line_tidy(struct lines *lines, struct line *line)
{
	if (!line->count && !line->busy.half.conn)
		free_line(lines, line);
}

void line_free_device(struct lines *lines, struct line *line)
{
	if (!line->busy.half.conn)
		return;
	line->busy.half.conn = 0;
	if (line->busy_next)
		line->busy_next->busy_prev = line->busy_prev;
	else
		lines->busy_last = line->busy_prev;
	if (line->busy_prev)
		line->busy_prev->busy_next = line->busy_next;
	else
		lines->busy_first = line->busy_next;
	line->busy_next = line->busy_prev = NULL;
}

static void be_busy(struct lines *lines, struct line *line)
{
	line->busy_prev = lines->busy_last;
	if (lines->busy_last)
		lines->busy_last->busy_next = line;
	else
		lines->busy_first = line;
	lines->busy_last = line;
}

void lines_finish(struct lines *lines)
{
	while (lines->by_id)
		free_line(lines, lines->by_id);
	standing_finish(&lines->standing);
}

int lines_enter(struct lines *lines, struct pending *pending)
{
	const uint8_t *id = pending->pair.id[SIDE_SERVER];
	struct line *line = line_find(lines, id);

	if (!line) {
		line = calloc(1, sizeof(*line));
		if (!line)
			return -1;
		memcpy(line->id, id, ID_LEN);
		HASH_ADD_KEYPTR(hh, lines->by_id, line->id, ID_LEN, line);
		if (!line->hh.tbl) { /* uthash: out of memory */
			free(line);
			return -1;
		}
	}
	pending->line = line;
	pending->line_prev = line->last;
	if (line->last)
		line->last->line_next = pending;
	else
		line->first = pending;
	line->last = pending;
	line->count++;
	line->waiting++;
	lines->waiting++;
	return 0;
}

const uint8_t *line_origin(const struct pending *pending)
{
	const struct share *source = widest(pending);

	return source ? source->key : pending->pair.id[SIDE_CLIENT];
}

enum standing_rank line_rank(const struct lines *lines,
	const struct pending *pending, int64_t now_ms)
{
	return standing_rank(&lines->standing, pending->pair.id[SIDE_CLIENT],
		pending->line->id, line_origin(pending), now_ms);
}

void lines_taken(struct lines *lines, struct pending *pending,
	struct place first, int64_t now_ms)
{
	struct line *line = pending->line;
	struct busy *busy = &line->busy;

	/*
	 * A device that takes invitations one by one would have let this one
	 * wait.
	 */
	if (pending->stage == STAGE_SENT &&
		now_ms - line->out_ms >= LINES_UNTAKEN_MS)
		line->parallel = false;
	else if (pending->stage == STAGE_SENT && busy->half.conn)
		line->parallel = true;
	if (pending->stage == STAGE_WAITS) {
		line->waiting--;
		lines->waiting--;
	} else if (pending->stage == STAGE_SENT) {
		line->sent--;
	}
	pending->stage = STAGE_TAKEN;
	line->out = line->sent > 0;
	line->out_ms = now_ms;
	line_free_device(lines, line);
	busy->half = first;
	busy->since_ms = now_ms;
	busy->turn = pending->pair.turn = ++lines->turns;
	memcpy(busy->asker, pending->pair.id[SIDE_CLIENT], ID_LEN);
	memcpy(busy->source, line_origin(pending), ID_LEN);
	be_busy(lines, line);
}

void lines_leave(struct lines *lines, struct pending *pending, bool begun,
	int64_t now_ms)
{
	struct line *line = pending->line;
	bool alone = pending->stage == STAGE_TAKEN && !begun;

	if (!line)
		return;
	if (pending->line_next)
		pending->line_next->line_prev = pending->line_prev;
	else
		line->last = pending->line_prev;
	if (pending->line_prev)
		pending->line_prev->line_next = pending->line_next;
	else
		line->first = pending->line_next;
	line->count--;
	line->sent -= pending->stage == STAGE_SENT;
	line->waiting -= pending->stage == STAGE_WAITS;
	lines->waiting -= pending->stage == STAGE_WAITS;
	if (alone && line->busy.turn == pending->pair.turn) {
		/* The requester let the device wait. */
		if (line->busy.half.conn &&
			now_ms - line->busy.since_ms >= LINES_TURN_MS)
			standing_blame(
				&lines->standing, line_origin(pending), now_ms);
		line_free_device(lines, line);
	}
	pending->line = NULL;
	line_tidy(lines, line);
}

void lines_over(
	struct lines *lines, const uint8_t target[ID_LEN], uint64_t turn)
{
	struct line *line = line_find(lines, target);

	if (!line || line->busy.turn != turn)
		return;
	line_free_device(lines, line);
	line_tidy(lines, line);
}

void lines_forget(struct lines *lines, int64_t now_ms)
{
	while (lines->busy_first &&
		now_ms - lines->busy_first->busy.since_ms >= LINES_BUSY_MS) {
		struct line *line = lines->busy_first;

		line_free_device(lines, line);
		line_tidy(lines, line);
	}
}

bool lines_next_open(struct lines *lines, uint8_t target[ID_LEN])
{
	struct line *line = lines->open_first;

	if (!line)
		return false;
	memcpy(target, line->id, ID_LEN);
	lines->open_first = line->open_next;
	return true;
}

struct pending *lines_waiting(
	const struct lines *lines, const uint8_t target[ID_LEN])
{
	const struct line *line = line_find(lines, target);
	struct pending *waiting = line && line->waiting ? line->first : NULL;

	while (waiting && waiting->stage != STAGE_WAITS)
		waiting = waiting->line_next;
	return waiting;
}
