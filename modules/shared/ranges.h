/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ranges.h - a set of IP addresses, given as addresses and CIDR ranges.
 *
 * IPv4 is kept as ::ffff:a.b.c.d, as connections tell it.
 */
#ifndef RANGES_H
#define RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

#define RANGE_BYTES 16

struct range {
	uint8_t first[RANGE_BYTES], last[RANGE_BYTES]; /* both included */
};

struct ranges {
	struct range *list; /* owned */
	size_t count, room;
};

/* Reads 192.0.2.1, 192.0.2.0/24, 2001:db8::/32.  0, or -1 with err. */
int range_read(const char *text, struct range *out, struct relay_err *err);

/* 0, or -1 without memory. */
int ranges_add(struct ranges *ranges, const struct range *range);
/* Call it after the last addition: sorts, and merges overlapping ranges. */
void ranges_settle(struct ranges *ranges);
void ranges_free(struct ranges *ranges);
/* Reads every item of a NULL-terminated list, and calls ranges_settle().  0, or
 * -1 with err and *out empty. */
int ranges_read(
	struct ranges *out, const char *const *list, struct relay_err *err);

bool ranges_have(
	const struct ranges *ranges, const uint8_t address[RANGE_BYTES]);

/* The 16 bytes of a peer's address. */
void range_address(
	const struct sockaddr_storage *from, uint8_t out[RANGE_BYTES]);

#endif
