/* SPDX-License-Identifier: MPL-2.0 */

/*
 * banned.h - the bans in force: asked by the workers, changed by commands, kept
 * in a file if the option names one.
 */
#ifndef BANNED_H
#define BANNED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "bans.h"

struct banned {
	pthread_mutex_t lock; /* of the next three */
	struct bans bans;
	int64_t start_s; /* when the process began, by the clock of `bans` */
	bool moved;      /* the clock was set; the file does not know it yet */
	atomic_size_t count; /* of bans, so that without any no lock is taken */
	/* All [C].  Changes have numbers; these are on the disk, or could not
	 * be written. */
	uint64_t changes, saved, failed;
	bool saving;
	struct relay_err why; /* of `failed` */
	struct relay_log_kind refused;
};

/* Of the module's data.  0, or -1 with err. */
int banned_init(struct relay_ctx *cx, struct relay_err *err);
void banned_fini(struct relay_ctx *cx);
/* Whether that device is banned.  [*] */
bool banned_is(struct relay_ctx *cx, const uint8_t *id);
/*
 * The bans of a file that has been read.  At the start, and at a reload that
 * names another file, they are added to those in force; else the file is what
 * this process has written.  [C]
 */
void banned_take(struct relay_ctx *cx, const struct bans *read, bool save);

/* Change the bans in force.  0; or -1 with err, or not found.  [C] */
int banned_add(
	struct relay_ctx *cx, const struct ban *ban, struct relay_err *err);
bool banned_remove(struct relay_ctx *cx, const uint8_t *id);
/* The only banned device whose ID begins so.  0, or -1 with err.  [C] */
int banned_named(struct relay_ctx *cx, const char *text,
	uint8_t id[RELAY_DEVICE_ID_LEN], struct relay_err *err);
/* A copy of those that have not ended.  False: no memory.  [C] */
bool banned_copy(struct relay_ctx *cx, struct bans *copy);
/* Has the file written if the clock was set.  To be called now and then.  [C]
 */
void banned_follow_clock(struct relay_ctx *cx);
/* Begins to write what is not on the disk.  -1 with err: not now.  [C] */
int banned_save(struct relay_ctx *cx, struct relay_err *err);

#endif
