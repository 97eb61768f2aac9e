/* SPDX-License-Identifier: MPL-2.0 */

/* gather.h - the steps of a command that needs a listing, and what it finds in
 * it. */
#ifndef GATHER_H
#define GATHER_H

#include <netinet/in.h>

#include "relay/commands/listing.h"

/* Room for the number of a session as text: WORKER.NUMBER. */
#define SESSION_TEXT 40

/* The first member of the state of such a command. */
struct gather {
	struct listing listing;
	int64_t began_ms;
	bool begun;
};

enum gathered { GATHERED_ALL, GATHERED_LATER, GATHERED_FAILED };

/* Call it first in each `run`: wait while it is not GATHERED_ALL, or end if it
 * failed, which the answer says. */
enum gathered gather(struct relay_ctx *cx, struct relay_answer *to);
/* The function `closed` of such a command. */
void gather_closed(struct relay_ctx *cx, struct relay_answer *to);

void session_text(const struct session_row *row, char out[SESSION_TEXT]);
/* Counts a device that begins with the text: *one is the first, *others how
 * many differ from it. */
void found_id(const uint8_t *id, const char *text, const uint8_t **one,
	unsigned *others);
/* That there are several, or none. */
void fail_id(bool several, const char *text, struct relay_err *err);
/*
 * The one device whose ID begins with the text, joined or in a session; its ID.
 * NULL, with the reason in err: there is none, or there are several.
 */
const uint8_t *gather_device(
	const struct listing *listing, const char *text, struct relay_err *err);
/* NULL: there is none. */
const struct session_row *gather_session(
	const struct listing *listing, const char *text);
/* The address, without a port, as rows have it.  False: the word is none. */
bool gather_address(const char *word, char out[INET6_ADDRSTRLEN]);

#endif
