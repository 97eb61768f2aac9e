/* SPDX-License-Identifier: MPL-2.0 */

/* What has been asked of a server and not been answered. */

#include <stdlib.h>
#include <string.h>

#include "cluster/redis/asked.h"

#define FIRST_ROOM 64

static int grow(struct asked_queue *queue)
{
	size_t room = queue->room ? queue->room * 2 : FIRST_ROOM;
	struct asked *memory = malloc(room * sizeof(*memory));

	if (!memory)
		return -1;
	for (size_t i = 0; i < queue->count; i++)
		memory[i] = *asked_at(queue, i);
	free(queue->memory);
	*queue = (struct asked_queue){
		.memory = memory, .room = room, .count = queue->count};
	return 0;
}

int asked_push(struct asked_queue *queue, const struct asked *asked)
{
	if (queue->count == ASKED_MOST ||
		(queue->count == queue->room && grow(queue) != 0))
		return -1;
	queue->memory[(queue->first + queue->count) % queue->room] = *asked;
	queue->count++;
	return 0;
}

void asked_unpush(struct asked_queue *queue)
{
	queue->count--;
}

bool asked_pop(struct asked_queue *queue, struct asked *out)
{
	if (!queue->count)
		return false;
	*out = queue->memory[queue->first];
	queue->first = (queue->first + 1) % queue->room;
	queue->count--;
	return true;
}

struct asked *asked_at(const struct asked_queue *queue, size_t i)
{
	return &queue->memory[(queue->first + i) % queue->room];
}

void asked_free(struct asked_queue *queue)
{
	free(queue->memory);
	*queue = (struct asked_queue){.memory = NULL};
}
