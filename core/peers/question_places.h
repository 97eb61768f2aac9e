/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How many questions may wait: of one device, from one source, and in all.
 *
 * Sources are those of memory_by_source.h; 127.0.0.1 and ::1 are not counted.
 * The numbers are kept in tables of fixed size, by a hash with a random seed.
 * In rare cases two devices or two sources share an entry, and so one limit.
 *
 * All threads share the places; every function is [*].
 */
#ifndef QUESTION_PLACES_H
#define QUESTION_PLACES_H

#include <stdatomic.h>
#include <stdint.h>

/* In all. */
#define QUESTIONS_MOST 16384
/* A device. */
#define QUESTIONS_PER_DEVICE 64
/* An IPv4 address or a /64; a /56 has twice and a /48 four times as many. */
#define QUESTIONS_PER_SOURCE 256

#define QUESTION_DEVICE_SLOTS 16384
#define QUESTION_SOURCE_SLOTS 4096

struct question_places {
	uint64_t seed; /* constant */
	atomic_uint all;
	_Atomic uint16_t devices[QUESTION_DEVICE_SLOTS];
	_Atomic uint16_t sources[QUESTION_SOURCE_SLOTS];
};

enum question_place {
	QUESTION_PLACED,
	QUESTION_DEVICE_FULL,
	QUESTION_SOURCE_FULL,
	QUESTION_ALL_FULL,
};

/*
 * Takes a place, which question_place_give() gives back.  `address` has 16
 * bytes, IPv4 as ::ffff:a.b.c.d; `device` has 32, or is NULL if the peer has
 * proven none.
 */
enum question_place question_place_take(struct question_places *places,
	const uint8_t *address, const uint8_t *device);
void question_place_give(struct question_places *places, const uint8_t *address,
	const uint8_t *device);

#endif
