/* SPDX-License-Identifier: MPL-2.0 */

/* The queue of log records: a ring of bytes under a mutex. */

#include <pthread.h>
#include <string.h>

#include "log/log_queue.h"

static struct {
	pthread_mutex_t lock;
	size_t first, used; /* bytes */
	bool wake_sent;
	uint64_t drops, drops_taken;
	unsigned char bytes[LOG_QUEUE_BYTES];
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A plain mutex fails only when it is used wrongly. */
static void lock(void)
{
	(void)pthread_mutex_lock(&queue.lock);
}

static void unlock(void)
{
	(void)pthread_mutex_unlock(&queue.lock);
}

static void ring_put(const void *from, size_t len)
{
	size_t at = (queue.first + queue.used) % LOG_QUEUE_BYTES;
	size_t head = LOG_QUEUE_BYTES - at < len ? LOG_QUEUE_BYTES - at : len;

	memcpy(queue.bytes + at, from, head);
	memcpy(queue.bytes, (const unsigned char *)from + head, len - head);
	queue.used += len;
}

static void ring_get(void *to, size_t len)
{
	size_t at = queue.first;
	size_t head = LOG_QUEUE_BYTES - at < len ? LOG_QUEUE_BYTES - at : len;

	memcpy(to, queue.bytes + at, head);
	memcpy((unsigned char *)to + head, queue.bytes, len - head);
	queue.first = (at + len) % LOG_QUEUE_BYTES;
	queue.used -= len;
}

int log_queue_push(const struct log_record *record, bool *wake)
{
	size_t len = log_record_size(record);
	int result = -1;

	lock();
	if (len <= LOG_QUEUE_BYTES - queue.used) {
		ring_put(record, len);
		result = 0;
	} else {
		queue.drops++;
	}
	*wake = !queue.wake_sent;
	queue.wake_sent = true;
	unlock();
	return result;
}

void log_queue_not_woken(void)
{
	lock();
	queue.wake_sent = false;
	unlock();
}

void log_queue_woken(void)
{
	log_queue_not_woken();
}

size_t log_queue_used(void)
{
	size_t used;

	lock();
	used = queue.used;
	unlock();
	return used;
}

bool log_queue_pop(struct log_record *record)
{
	bool any;

	lock();
	any = queue.used > 0;
	if (any) {
		ring_get(record, offsetof(struct log_record, data));
		ring_get(record->data, record->len);
	}
	unlock();
	return any;
}

void log_queue_count_drop(void)
{
	lock();
	queue.drops++;
	unlock();
}

uint64_t log_queue_take_drops(void)
{
	uint64_t n;

	lock();
	n = queue.drops - queue.drops_taken;
	queue.drops_taken = queue.drops;
	unlock();
	return n;
}

uint64_t log_queue_drops(void)
{
	uint64_t n;

	lock();
	n = queue.drops;
	unlock();
	return n;
}
