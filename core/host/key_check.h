/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Checks the key files during a reload.  A fault in them does not affect the
 * running relay, but the next start would fail, or the relay would have another
 * ID.  All functions are [C].
 */
#ifndef KEY_CHECK_H
#define KEY_CHECK_H

#include <stdbool.h>

struct identity;
struct key_look;
struct loop;

/* Begins to read them on another thread.  `in_use` is borrowed until the
 * process ends.  NULL after an error that is logged. */
struct key_look *key_look_start(const char *dir, const struct identity *in_use,
	struct loop *loop, void (*over)(void *arg), void *arg);
/* Checks whether they have been read, and gives up if they do not answer; in
 * both cases calls `over`, unless the loop has done so. */
void key_look_again(struct key_look *look);
bool key_look_is_over(const struct key_look *look);
/* Logs what was found. */
void key_look_tell(const struct key_look *look);
/* Accepts NULL. */
void key_look_free(struct key_look *look);

#endif
