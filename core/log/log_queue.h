/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The one queue of log records between all threads and the control thread.
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

/*
 * Any thread.  0, or -1 when it was dropped.  *wake says that the reader sleeps
 * and this caller is the one to wake it.
 */
int log_queue_push(const struct log_record *record, bool *wake);
/* It could not be woken: the next caller shall try. */
void log_queue_not_woken(void);
/* The reader is awake: from now on, it wants to be woken again. */
void log_queue_woken(void);

/* How many bytes wait; for log_queue_pop() to stop at those. */
size_t log_queue_used(void);
/* One reader.  False when it is empty. */
bool log_queue_pop(struct log_record *record);

/* A record that was lost elsewhere, say on a stderr that takes nothing. */
void log_queue_count_drop(void);
/* How many were dropped since the last call. */
uint64_t log_queue_take_drops(void);
/* How many were ever dropped. */
uint64_t log_queue_drops(void);

#endif
