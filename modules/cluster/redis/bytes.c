/* SPDX-License-Identifier: MPL-2.0 */

/* A queue of bytes that grows up to a bound. */

#include <stdlib.h>
#include <string.h>

#include "cluster/redis/bytes.h"

#define FIRST 4096
/* A queue that is empty gives the memory of a rush back. */
#define KEPT (256 * 1024)

static int grow(struct bytes *bytes, size_t need)
{
	size_t room = bytes->room ? bytes->room : FIRST;
	uint8_t *memory;

	while (room < need)
		room *= 2;
	/* Not realloc(): that may leave a copy behind. */
	memory = malloc(room);
	if (!memory)
		return -1;
	if (bytes->memory) {
		memcpy(memory, bytes->memory, bytes->end);
		explicit_bzero(bytes->memory, bytes->end);
	}
	free(bytes->memory);
	bytes->memory = memory;
	bytes->room = room;
	return 0;
}

uint8_t *bytes_room(struct bytes *bytes, size_t len, size_t most)
{
	size_t have = bytes_len(bytes);

	if (len > most || have > most - len)
		return NULL;
	if (bytes->memory && bytes->from && bytes->end + len > bytes->room) {
		memmove(bytes->memory, bytes->memory + bytes->from, have);
		bytes->from = 0;
		bytes->end = have;
	}
	if ((!bytes->memory || bytes->end + len > bytes->room) &&
		grow(bytes, bytes->end + len) != 0)
		return NULL;
	return bytes->memory + bytes->end;
}

void bytes_added(struct bytes *bytes, size_t len)
{
	bytes->end += len;
}

int bytes_add(struct bytes *bytes, const void *from, size_t len, size_t most)
{
	uint8_t *to = bytes_room(bytes, len, most);

	if (!to)
		return -1;
	if (len)
		memcpy(to, from, len);
	bytes_added(bytes, len);
	return 0;
}

void bytes_take(struct bytes *bytes, size_t len)
{
	bytes->from += len;
	if (bytes->from < bytes->end)
		return;
	bytes->from = bytes->end = 0;
	if (bytes->room > KEPT)
		bytes_free(bytes);
}

void bytes_cut(struct bytes *bytes, size_t len)
{
	bytes->end -= len;
}

void bytes_free(struct bytes *bytes)
{
	if (bytes->memory)
		explicit_bzero(bytes->memory, bytes->room);
	free(bytes->memory);
	*bytes = (struct bytes){.memory = NULL};
}
