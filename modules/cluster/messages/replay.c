/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "cluster/messages/replay.h"

/* A counter's bit is at its remainder: the window's counters all differ. */
static uint64_t *word_of(struct replay *replay, uint64_t counter)
{
	return &replay->seen[counter % REPLAY_WINDOW / 64];
}

static uint64_t bit_of(uint64_t counter)
{
	return (uint64_t)1 << counter % 64;
}

static void move_to(struct replay *replay, uint64_t counter)
{
	if (counter - replay->highest >= REPLAY_WINDOW)
		memset(replay->seen, 0, sizeof(replay->seen));
	else
		for (uint64_t c = replay->highest + 1; c < counter; c++)
			*word_of(replay, c) &= ~bit_of(c);
	replay->highest = counter;
}

bool replay_is_new(struct replay *replay, uint64_t counter)
{
	if (counter == 0)
		return false;
	if (counter > replay->highest)
		move_to(replay, counter);
	else if (replay->highest - counter >= REPLAY_WINDOW ||
		 *word_of(replay, counter) & bit_of(counter))
		return false;
	*word_of(replay, counter) |= bit_of(counter);
	return true;
}
