/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Checks the key files before a reload or an upgrade.  A fault in them does not
 * affect the running relay, but the next start would fail, or the relay would
 * have another ID.  All functions are [C].
 */
#ifndef KEY_CHECK_H
#define KEY_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/err.h>

struct identity;
struct key_check;
struct loop;

/* Begins to read them on another thread.  `in_use` is borrowed until the
 * process ends.  NULL after an error that is logged. */
struct key_check *key_check_start(const char *dir,
	const struct identity *in_use, struct loop *loop,
	void (*over)(void *arg), void *arg);
/* Checks whether they have been read, and gives up if they do not answer; in
 * both cases calls `over`, unless the loop has done so. */
void key_check_poll(struct key_check *check);
bool key_check_is_over(const struct key_check *check);
/* The device ID of the keys that were found, valid as long as the check; NULL:
 * there are none.  0; or -1 with err: they cannot be used, or do not answer. */
int key_check_found(const struct key_check *check, const uint8_t **id,
	struct relay_err *err);
/* Logs what was found, for a reload. */
void key_check_log(const struct key_check *check);
/* Accepts NULL. */
void key_check_free(struct key_check *check);

#endif
