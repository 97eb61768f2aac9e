/* SPDX-License-Identifier: MPL-2.0 */

/*
 * wire.h - one direction of a simulated link: rate, queue, delay, loss and
 * reordering.
 *
 * A packet waits until those before it are sent, takes its length at the
 * link's rate, and arrives after the delay.  One that comes while the queue is
 * full is dropped at once.  One that is lost takes its time on the link, as on
 * a real one.  One that is reordered arrives later than the delay, so that
 * later ones overtake it.  Pure: time is passed in, chance comes from a seed.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

/* Packets under way at most; the next is dropped, and counted as no_room. */
#define WIRE_MOST 262144U

struct wire_settings {
	int64_t delay_ns;
	int64_t bits_per_s;  /* 0: unlimited, and then nothing queues */
	int64_t queue_bytes; /* that wait to be sent, at most */
	int64_t loss_ppm;    /* of all packets, in millionths */
	int64_t reorder_ppm;
	int64_t reorder_ns; /* how much later such a packet arrives */
	uint64_t seed;
};

struct wire_counts {
	uint64_t offered;
	uint64_t queue_full;
	uint64_t no_room; /* not a property of the link: it is off */
	uint64_t lost;
	uint64_t reordered;
	uint64_t arrived;
	uint64_t arrived_bytes;
};

struct wire_packet {
	int64_t due_ns;
	uint64_t number; /* equal times keep their order */
	size_t len;
	uint8_t *data; /* owned */
};

/* All zero, apart from the settings, is one without packets. */
struct wire {
	struct wire_settings settings;
	struct wire_counts counts;
	uint64_t chance;             /* state of the generator */
	int64_t free_ns;             /* when all that was taken is sent */
	uint64_t numbers;            /* given to packets so far */
	struct wire_packet *packets; /* owned; a heap, the next due is first */
	size_t count, space;
};

void wire_init(struct wire *wire, const struct wire_settings *settings);
void wire_finish(struct wire *wire);

/* A packet comes at this time, which never goes back; its bytes are copied. */
void wire_offer(
	struct wire *wire, const uint8_t *data, size_t len, int64_t now_ns);

/* When the next packet arrives; INT64_MAX: none is under way. */
int64_t wire_next_ns(const struct wire *wire);

/*
 * Takes the next packet if it has arrived by now.  Returns its bytes, which the
 * caller frees; NULL: none has arrived.
 */
uint8_t *wire_take(
	struct wire *wire, int64_t now_ns, size_t *len, int64_t *due_ns);

#endif
