/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The course of one question: which modules were asked, whether one of them is
 * waited for, and what an answer means.
 *
 *   ASKING --PASS--> ASKING (the next module; none is left: OVER)
 *   ASKING --WAIT--> WAITING        ASKING --DENY, TAKE--> OVER
 *   WAITING --answer of that module--> as above
 *   WAITING --out of time, or the module leaves--> as if it had answered
 *                                                  `otherwise`
 *   WAITING --the connection ends, is moved or paired--> OVER
 *
 * A module is known by its slot, a number below 64.  Pure, without allocation.
 */
#ifndef QUESTION_COURSE_H
#define QUESTION_COURSE_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/hooks.h>

enum course_state { COURSE_ASKING, COURSE_WAITING, COURSE_OVER };

/* All zero: nobody was asked yet. */
struct course {
	uint64_t asked; /* a bit for each module */
	uint8_t state;  /* enum course_state */
	uint8_t waits_for;
	uint8_t otherwise; /* enum relay_verdict */
	bool left;         /* COURSE_WAITING: that module has left */
};

/* Whether the module is still to be asked. */
bool course_wants(const struct course *course, unsigned slot);
/* The filter of that module has returned.  True: ask the next one. */
bool course_heard(
	struct course *course, unsigned slot, enum relay_verdict verdict);
/* All modules were asked, or nobody waits for the answer any more. */
void course_end(struct course *course);

enum course_answer {
	COURSE_ACCEPTED, /* go on: the state is COURSE_ASKING */
	COURSE_LATE,     /* nobody waits for an answer any more */
	COURSE_SECOND,   /* the module has answered before */
	COURSE_FOREIGN,  /* another module is waited for */
};
/* A module answers.  Changes nothing unless it is accepted. */
enum course_answer course_settled(struct course *course, unsigned slot);

/* The module leaves.  True: it is the one that is waited for, and `otherwise`
 * counts.  A module that takes over its slot will be asked. */
bool course_left(struct course *course, unsigned slot);
/* Nobody is waited for any more: goes on with the verdict that it returns. */
enum relay_verdict course_given_up(struct course *course);

#endif
