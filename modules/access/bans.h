/* SPDX-License-Identifier: MPL-2.0 */

/* bans.h - devices that an operator has banned, each until a time, and the file
 * that keeps them. */
#ifndef BANS_H
#define BANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/err.h>

#define BANS_MOST 10000
/* The word that a new file has. */
#define BANS_NEW "new\n"

struct ban {
	uint8_t id[RELAY_DEVICE_ID_LEN];
	int64_t until_s; /* seconds since 1970; 0: without an end */
	bool made_here;  /* by this process, with its clock */
};

/* Sorted by ID. */
struct bans {
	struct ban *list; /* owned */
	size_t count, room;
};

void bans_free(struct bans *bans);
/* Reads the text of a file, and changes it.  0, or -1 with err. */
int bans_parse(
	struct bans *bans, char *text, const char *path, struct relay_err *err);
/* Reads a file.  0, or -1 with err.  Any thread. */
int bans_read(struct bans *bans, const char *path, struct relay_err *err);
/* The text of a file, which the caller frees.  NULL without memory. */
char *bans_text(const struct bans *bans, size_t *len);

/* The ban of that device that has not ended; NULL: none. */
const struct ban *bans_find(const struct bans *bans,
	const uint8_t id[RELAY_DEVICE_ID_LEN], int64_t now_s);
/* Adds it, or changes its end.  0, or -1 with err: there is no room. */
int bans_add(struct bans *bans, const struct ban *ban, struct relay_err *err);
/* False: there was none. */
bool bans_remove(struct bans *bans, const uint8_t id[RELAY_DEVICE_ID_LEN]);
/* Removes those that have ended. */
void bans_drop_ended(struct bans *bans, int64_t now_s);
/* The clock was set by so many seconds: those that this process has made last
 * as long as before.  Those of a file were made with a clock that was right. */
void bans_follow_clock(struct bans *bans, int64_t by_s);

#endif
