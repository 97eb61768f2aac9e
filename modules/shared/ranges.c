/* SPDX-License-Identifier: MPL-2.0 */

/* A set of IP addresses, given as addresses and CIDR ranges. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "shared/ranges.h"

#define V4_AT 12 /* of a mapped address's 16 bytes */

static const uint8_t mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};

/* Returns where the bits begin that a prefix counts, or -1. */
static int read_address(const char *text, uint8_t out[RANGE_BYTES])
{
	if (inet_pton(AF_INET6, text, out) == 1)
		return 0;
	memcpy(out, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, out + V4_AT) == 1 ? V4_AT * 8 : -1;
}

/* Sets all bits after the prefix: to 0 in the first address, to 1 in the last.
 */
static void widen(struct range *range, int bits)
{
	for (int bit = bits; bit < RANGE_BYTES * 8; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		range->first[bit / 8] &= (uint8_t)~mask;
		range->last[bit / 8] |= mask;
	}
}

int range_read(const char *text, struct range *out, struct relay_err *err)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	int64_t prefix;
	int begin = -1;

	if (len < sizeof(address)) {
		memcpy(address, text, len);
		address[len] = '\0';
		begin = read_address(address, out->first);
	}
	if (begin < 0)
		return relay_fail(err,
			"\"%.80s\" is no address; 192.0.2.1, 192.0.2.0/24 and "
			"2001:db8::/32 are right",
			text);
	prefix = RANGE_BYTES * 8 - begin;
	if (slash && (relay_int_parse(slash + 1, &prefix, NULL) != 0 ||
			     prefix < 0 || prefix > RANGE_BYTES * 8 - begin))
		return relay_fail(err,
			"\"%.80s\": the number after / must be 0 to %d", text,
			RANGE_BYTES * 8 - begin);
	memcpy(out->last, out->first, RANGE_BYTES);
	widen(out, begin + (int)prefix);
	return 0;
}

int ranges_add(struct ranges *ranges, const struct range *range)
{
	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? 2 * ranges->room : 8;
		struct range *list =
			realloc(ranges->list, room * sizeof(*list));

		if (!list)
			return -1;
		ranges->list = list;
		ranges->room = room;
	}
	ranges->list[ranges->count++] = *range;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return memcmp(left->first, right->first, RANGE_BYTES);
}

void ranges_settle(struct ranges *ranges)
{
	size_t kept = 0;

	if (ranges->count == 0)
		return;
	qsort(ranges->list, ranges->count, sizeof(*ranges->list), compare);
	for (size_t i = 1; i < ranges->count; i++) {
		struct range *last = &ranges->list[kept];
		const struct range *next = &ranges->list[i];

		if (memcmp(next->first, last->last, RANGE_BYTES) > 0)
			ranges->list[++kept] = *next;
		else if (memcmp(next->last, last->last, RANGE_BYTES) > 0)
			memcpy(last->last, next->last, RANGE_BYTES);
	}
	ranges->count = kept + 1;
}

void ranges_free(struct ranges *ranges)
{
	free(ranges->list);
	*ranges = (struct ranges){0};
}

static int find(const void *address, const void *element)
{
	const struct range *range = element;

	if (memcmp(address, range->first, RANGE_BYTES) < 0)
		return -1;
	return memcmp(address, range->last, RANGE_BYTES) > 0;
}

bool ranges_have(
	const struct ranges *ranges, const uint8_t address[RANGE_BYTES])
{
	return ranges->count && bsearch(address, ranges->list, ranges->count,
					sizeof(*ranges->list), find);
}

void range_address(
	const struct sockaddr_storage *from, uint8_t out[RANGE_BYTES])
{
	if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)from;

		memcpy(out, &v6->sin6_addr, RANGE_BYTES);
	} else {
		const struct sockaddr_in *v4 = (const void *)from;

		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + V4_AT, &v4->sin_addr, 4);
	}
}

int ranges_read(
	struct ranges *out, const char *const *list, struct relay_err *err)
{
	struct range range;

	*out = (struct ranges){0};
	for (size_t i = 0; list[i]; i++) {
		if (range_read(list[i], &range, err) != 0)
			goto error;
		if (ranges_add(out, &range) != 0) {
			relay_fail(err, "out of memory");
			goto error;
		}
	}
	ranges_settle(out);
	return 0;

error:
	ranges_free(out);
	return -1;
}
