/* SPDX-License-Identifier: MPL-2.0 */

/* The queue of log records: a ring of bytes under a mutex. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "log/log_queue.h"

struct log_queue {
	pthread_mutex_t lock;
	size_t first, used; /* bytes */
	bool wake_sent;
	uint64_t drops, drops_taken;
	unsigned char bytes[LOG_QUEUE_BYTES];
};

struct log_queue *log_queue_create(void)
{
	struct log_queue *queue = calloc(1, sizeof(*queue));

	if (queue && pthread_mutex_init(&queue->lock, NULL) != 0) {
		free(queue);
		return NULL;
	}
	return queue;
}

void log_queue_destroy(struct log_queue *queue)
{
	if (!queue)
		return;
	(void)pthread_mutex_destroy(&queue->lock);
	free(queue);
}

/* Locking a default mutex fails only if it is used incorrectly. */
static void lock(struct log_queue *queue)
{
	(void)pthread_mutex_lock(&queue->lock);
}

static void unlock(struct log_queue *queue)
{
	(void)pthread_mutex_unlock(&queue->lock);
}

static void ring_put(struct log_queue *queue, const void *from, size_t len)
{
	size_t at = (queue->first + queue->used) % LOG_QUEUE_BYTES;
	size_t head = LOG_QUEUE_BYTES - at < len ? LOG_QUEUE_BYTES - at : len;

	memcpy(queue->bytes + at, from, head);
	memcpy(queue->bytes, (const unsigned char *)from + head, len - head);
	queue->used += len;
}

static void ring_get(struct log_queue *queue, void *to, size_t len)
{
	size_t at = queue->first;
	size_t head = LOG_QUEUE_BYTES - at < len ? LOG_QUEUE_BYTES - at : len;

	memcpy(to, queue->bytes + at, head);
	memcpy((unsigned char *)to + head, queue->bytes, len - head);
	queue->first = (at + len) % LOG_QUEUE_BYTES;
	queue->used -= len;
}

int log_queue_push(
	struct log_queue *queue, const struct log_record *record, bool *wake)
{
	size_t len = log_record_size(record);
	int result = -1;

	lock(queue);
	if (len <= LOG_QUEUE_BYTES - queue->used) {
		ring_put(queue, record, len);
		result = 0;
	} else {
		queue->drops++;
	}
	*wake = !queue->wake_sent;
	queue->wake_sent = true;
	unlock(queue);
	return result;
}

void log_queue_not_woken(struct log_queue *queue)
{
	lock(queue);
	queue->wake_sent = false;
	unlock(queue);
}

size_t log_queue_used(struct log_queue *queue)
{
	size_t used;

	lock(queue);
	used = queue->used;
	unlock(queue);
	return used;
}

bool log_queue_pop(struct log_queue *queue, struct log_record *record)
{
	bool any;

	lock(queue);
	any = queue->used > 0;
	if (any) {
		ring_get(queue, record, offsetof(struct log_record, data));
		ring_get(queue, record->data, record->len);
	}
	unlock(queue);
	return any;
}

void log_queue_count_drop(struct log_queue *queue)
{
	lock(queue);
	queue->drops++;
	unlock(queue);
}

uint64_t log_queue_take_drops(struct log_queue *queue)
{
	uint64_t n;

	lock(queue);
	n = queue->drops - queue->drops_taken;
	queue->drops_taken = queue->drops;
	unlock(queue);
	return n;
}

uint64_t log_queue_drops(struct log_queue *queue)
{
	uint64_t n;

	lock(queue);
	n = queue->drops;
	unlock(queue);
	return n;
}
