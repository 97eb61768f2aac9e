/* SPDX-License-Identifier: MPL-2.0 */

/* The end of a question.  All is [W]. */
#ifndef QUESTION_END_H
#define QUESTION_END_H

#include <stdint.h>

struct question;
struct relay_conn;

/* The device that the peer has proven to be, which its questions count for;
 * NULL: none. */
const uint8_t *question_device(const struct relay_conn *conn);

/* Gives back the place of one that has a number.  It did not wait. */
void question_withdraw(struct question *question);
/* Counts how it ended, and gives back its place; it is then no longer its
 * connection's.  The caller frees it. */
void question_over(struct question *question);
/* The connection ends, is moved or is paired, so nobody waits for the answer:
 * ends and frees its question, if it has one. */
void question_drop(struct relay_conn *conn);

#endif
