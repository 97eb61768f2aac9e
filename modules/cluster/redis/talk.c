/* SPDX-License-Identifier: MPL-2.0 */

/* A connection with what has been asked on it and what comes back. */

#include <time.h>

#include "cluster/redis/talk.h"

/* The mean is that of the last hundred or so. */
#define MEAN_OF 128

int64_t talk_now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void count_time(struct talk *talk, const struct asked *asked)
{
	struct redis_counts *counts = talk->counts;
	int64_t us = talk->heard_us - asked->sent_us;

	if (asked->given_up)
		return;
	counts->rtt_us = us;
	counts->rtt_mean_us =
		counts->rtt_mean_us
			? counts->rtt_mean_us +
				  (us - counts->rtt_mean_us) / MEAN_OF
			: us;
}

static void opened(void *arg)
{
	struct talk *talk = arg;

	talk->heard_us = talk_now_us();
	talk->calls->opened(talk->arg);
}

static void ended(void *arg, const char *why)
{
	struct talk *talk = arg;

	talk->calls->lost(talk->arg, why);
}

static void came(void *arg)
{
	struct talk *talk = arg;
	struct bytes *in = &talk->wire.in;
	unsigned turn = talk->wire.turn;
	enum resp_end end = RESP_WHOLE;

	talk->heard_us = talk_now_us();
	while (turn == talk->wire.turn && bytes_len(in)) {
		const struct resp *reply;
		struct asked asked;
		size_t len;

		end = resp_read(&talk->reader, bytes_at(in), bytes_len(in),
			&reply, &len);
		if (end != RESP_WHOLE)
			break;
		if (asked_pop(&talk->queue, &asked)) {
			count_time(talk, &asked);
			talk->calls->replied(talk->arg, &asked, reply);
		} else {
			talk->calls->pushed(talk->arg, reply);
		}
		/* Only now, because the reply is in there. */
		if (turn == talk->wire.turn)
			bytes_take(in, len);
	}
	if (turn != talk->wire.turn || end != RESP_BROKEN)
		return;
	talk_close(talk);
	talk->calls->lost(talk->arg, "what it sends is not Redis's protocol");
}

static const struct wire_calls wire_calls = {
	.opened = opened,
	.came = came,
	.ended = ended,
};

void talk_init(struct talk *talk, const struct talk_calls *calls, void *arg,
	struct redis_counts *counts)
{
	wire_init(&talk->wire, &wire_calls, talk);
	talk->queue = (struct asked_queue){.count = 0};
	talk->calls = calls;
	talk->arg = arg;
	talk->counts = counts;
	talk->heard_us = talk->probed_us = 0;
}

int talk_say(struct talk *talk, const struct resp_part *parts, size_t count)
{
	if (!wire_is_open(&talk->wire) ||
		resp_command(&talk->wire.out, parts, count, TALK_MOST) != 0)
		return -1;
	talk->counts->commands++;
	wire_send(&talk->wire);
	return 0;
}

int talk_ask(struct talk *talk, const struct asked *asked,
	const struct resp_part *parts, size_t count)
{
	struct asked with_time = *asked;

	with_time.sent_us = talk_now_us();
	if (asked_push(&talk->queue, &with_time) != 0)
		return -1;
	if (talk_say(talk, parts, count) == 0)
		return 0;
	asked_unpush(&talk->queue);
	return -1;
}

void talk_probed(struct talk *talk, int64_t now_us)
{
	if (talk->probed_us <= talk->heard_us)
		talk->probed_us = now_us;
}

bool talk_is_silent(const struct talk *talk, int64_t for_us, int64_t now_us)
{
	return talk->probed_us > talk->heard_us &&
	       now_us - talk->probed_us > for_us;
}

void talk_close(struct talk *talk)
{
	wire_close(&talk->wire);
}

void talk_free(struct talk *talk)
{
	asked_free(&talk->queue);
}
