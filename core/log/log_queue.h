/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The queue of log records between all threads and the control thread.
 *
 * Bounded in bytes; a record that does not fit is dropped and counted.
 */
#ifndef LOG_QUEUE_H
#define LOG_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "log/log_record.h"

/* Enough for about 4,096 records of typical length. */
#define LOG_QUEUE_BYTES (1024 * 1024)

struct log_queue;

/* NULL without memory. */
struct log_queue *log_queue_create(void);
/* Accepts NULL. */
void log_queue_destroy(struct log_queue *queue);

/*
 * Any thread.  0, or -1 if the record was dropped.  If *wake, the caller must
 * wake the reader, which nobody has done yet.
 */
int log_queue_push(
	struct log_queue *queue, const struct log_record *record, bool *wake);
/* The reader is awake, or could not be woken: the next log_queue_push() will
 * ask its caller to wake it. */
void log_queue_not_woken(struct log_queue *queue);

/* How many bytes are queued, so that a reader can limit its log_queue_pop(). */
size_t log_queue_used(struct log_queue *queue);
/* For the only reader.  False if the queue is empty. */
bool log_queue_pop(struct log_queue *queue, struct log_record *record);

/* Counts a record that was lost elsewhere, for example at a stuck stderr. */
void log_queue_count_drop(struct log_queue *queue);
/* How many records were dropped since the last call. */
uint64_t log_queue_take_drops(struct log_queue *queue);
/* How many records have been dropped in all. */
uint64_t log_queue_drops(struct log_queue *queue);

#endif
