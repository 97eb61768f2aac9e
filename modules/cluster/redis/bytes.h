/* SPDX-License-Identifier: MPL-2.0 */

/* bytes.h - a queue of bytes that grows up to a bound. */
#ifndef REDIS_BYTES_H
#define REDIS_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *memory; /* owned */
	size_t room;
	size_t from, end; /* what is queued */
};

/* A place for `len` more bytes at the end, valid until the next call; they
 * count after bytes_added().  NULL: no memory, or there would be more than
 * `most`. */
uint8_t *bytes_room(struct bytes *bytes, size_t len, size_t most);
void bytes_added(struct bytes *bytes, size_t len);
/* 0, or -1 as above. */
int bytes_add(struct bytes *bytes, const void *from, size_t len, size_t most);
static inline size_t bytes_len(const struct bytes *bytes)
{
	return bytes->end - bytes->from;
}
static inline const uint8_t *bytes_at(const struct bytes *bytes)
{
	return bytes->memory ? bytes->memory + bytes->from
			     : (const uint8_t *)"";
}
void bytes_take(struct bytes *bytes, size_t len);
/* Takes the last bytes away again. */
void bytes_cut(struct bytes *bytes, size_t len);
/* Wipes, for there may be a password, and frees; it is empty then. */
void bytes_free(struct bytes *bytes);

#endif
