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

/* Some 4,096 records of common length. */
#define LOG_QUEUE_BYTES (1024 * 1024)

struct log_queue;

/* NULL without memory. */
struct log_queue *log_queue_create(void);
/* Accepts NULL. */
void log_queue_destroy(struct log_queue *queue);

/*
 * Any thread.  0, or -1 when it was dropped.  *wake says that the reader sleeps
 * and this caller is the one to wake it.
 */
int log_queue_push(
	struct log_queue *queue, const struct log_record *record, bool *wake);
/* The reader is awake, or could not be woken: the next caller shall try. */
void log_queue_not_woken(struct log_queue *queue);

/* How many bytes wait; for log_queue_pop() to stop at those. */
size_t log_queue_used(struct log_queue *queue);
/* One reader.  False when it is empty. */
bool log_queue_pop(struct log_queue *queue, struct log_record *record);

/* A record that was lost elsewhere, say on a stderr that takes nothing. */
void log_queue_count_drop(struct log_queue *queue);
/* How many were dropped since the last call. */
uint64_t log_queue_take_drops(struct log_queue *queue);
/* How many were ever dropped. */
uint64_t log_queue_drops(struct log_queue *queue);

#endif
