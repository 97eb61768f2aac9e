/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which file a thread works on, and since when.  A thread that watches another
 * one learns from this which file does not answer.
 */
#ifndef FILE_WAIT_H
#define FILE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_wait {
	pthread_mutex_t lock; /* guards the rest */
	int64_t since_ms;     /* monotonic; 0: it waits for no file */
	char path[256];       /* the last file; "": none yet */
	bool given_up;
};

/* 0, or -1. */
int file_wait_init(struct file_wait *wait);
void file_wait_finish(struct file_wait *wait);

/* The calling thread notes its files there from now on; NULL: nowhere. */
void file_wait_here(struct file_wait *wait);
/* The calling thread is about to make a system call that waits for this file;
 * the call has returned.  They preserve errno. */
void file_wait_begin(const char *path);
void file_wait_end(void);
/* Whether the calling thread's work was given up.  Then it must not change any
 * file: others may have changed it since. */
bool file_wait_given_up(void);

/* For how long the other thread has waited for a file, in ms; 0: it does not
 * wait. `path` gets the last file. */
int64_t file_wait_ms(struct file_wait *wait, char *path, size_t cap);
void file_wait_give_up(struct file_wait *wait);

#endif
