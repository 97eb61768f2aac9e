/* SPDX-License-Identifier: MPL-2.0 */

/* The course of one question. */

#include "peers/question_course.h"

static uint64_t bit(unsigned slot)
{
	return UINT64_C(1) << (slot & 63);
}

bool course_wants(const struct course *course, unsigned slot)
{
	return !(course->asked & bit(slot));
}

bool course_heard(
	struct course *course, unsigned slot, enum relay_verdict verdict)
{
	course->asked |= bit(slot);
	course->state = COURSE_ASKING;
	if (verdict == RELAY_PASS)
		return true;
	course->state = verdict == RELAY_WAIT ? COURSE_WAITING : COURSE_OVER;
	course->waits_for = (uint8_t)slot;
	return false;
}

void course_end(struct course *course)
{
	course->state = COURSE_OVER;
}

enum course_answer course_settled(struct course *course, unsigned slot)
{
	if (course->state != COURSE_WAITING || course->left)
		return COURSE_LATE;
	if (course->waits_for != slot)
		return course_wants(course, slot) ? COURSE_FOREIGN
						  : COURSE_SECOND;
	course->state = COURSE_ASKING;
	return COURSE_ACCEPTED;
}

bool course_left(struct course *course, unsigned slot)
{
	course->asked &= ~bit(slot);
	if (course->state != COURSE_WAITING || course->waits_for != slot)
		return false;
	course->left = true;
	return true;
}

enum relay_verdict course_given_up(struct course *course)
{
	course->state = COURSE_ASKING;
	course->left = false;
	return (enum relay_verdict)course->otherwise;
}
