/* SPDX-License-Identifier: MPL-2.0 */

/* What is to be done again. */

#include <stdlib.h>

#include <utlist.h>

#include "cluster/claims/claim_notes.h"

int notes_add(
	struct claim_notes *notes, const struct note *what, int64_t due_ms)
{
	struct note *note = NULL;

	if (notes->count < NOTES_MOST)
		note = malloc(sizeof(*note));
	if (!note)
		return -1;
	*note = *what;
	note->due_ms = due_ms;
	DL_APPEND(notes->first, note);
	notes->count++;
	return 0;
}

struct note *notes_due(struct claim_notes *notes, int64_t now_ms)
{
	struct note *note = notes->first;

	return note && note->due_ms <= now_ms ? note : NULL;
}

void notes_done(struct claim_notes *notes, struct note *note, int64_t due_ms)
{
	DL_DELETE(notes->first, note);
	if (note->left > 0) {
		note->left--;
		note->due_ms = due_ms;
		DL_APPEND(notes->first, note);
		return;
	}
	notes->count--;
	free(note);
}

void notes_finish(struct claim_notes *notes)
{
	while (notes->first) {
		struct note *note = notes->first;

		notes->first = note->next;
		free(note);
	}
	notes->count = 0;
}
