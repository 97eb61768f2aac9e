/* SPDX-License-Identifier: MPL-2.0 */

/* rules.h - a list of devices and addresses, from options and files. */
#ifndef RULES_H
#define RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/err.h>

#include "shared/ranges.h"
#include "watch.h"

struct rules {
	uint8_t (*ids)[RELAY_DEVICE_ID_LEN]; /* owned, sorted */
	size_t id_count, id_room;
	struct ranges ranges;
	struct watch watch;
	size_t entries; /* in files */
	bool uncounted; /* a file does not announce how many it has */
};

/* The kinds of entries that a list may have. */
#define RULES_IDS       1U
#define RULES_ADDRESSES 2U
/* The list must have entries: an empty allow list would admit everybody. */
#define RULES_NOT_NONE 4U

/* Announces the files among the entries; see relay_file_look(). */
void rules_look(const char *const *entries);
/*
 * Each entry is a device ID, an address or range, or @FILE with one of these a
 * line, where # begins a comment, and "# entries: N" announces how many.  What
 * may be half a file is an error; see guard_file.h.  0, or -1 with err that
 * names the option and the file's line; either way rules_free().
 */
int rules_read(struct rules *rules, const char *option,
	const char *const *entries, unsigned kinds, struct relay_err *err);
void rules_free(struct rules *rules);

bool rules_empty(const struct rules *rules);
size_t rules_count(const struct rules *rules);
/* `id` may be NULL. */
bool rules_match(const struct rules *rules, const uint8_t *id,
	const uint8_t address[RANGE_BYTES]);

#endif
