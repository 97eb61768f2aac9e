/* SPDX-License-Identifier: MPL-2.0 */

/*
 * breaker.h - stops asking an endpoint that fails again and again, and tries it
 * with one question after a pause.  Pure; time is passed in.
 */
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state {
	BREAKER_CLOSED, /* all questions are asked */
	BREAKER_TRIAL,  /* one is asked, and its result decides */
	BREAKER_OPEN,   /* none is asked */
};

struct breaker {
	enum breaker_state state;
	unsigned failures; /* one after the other, while it is closed */
	int64_t until_ms;  /* of the pause, or of the trial */
};

/* Whether a question may be asked now.  A trial without a result is over after
 * another pause. */
bool breaker_allows(struct breaker *breaker, int64_t now_ms, int64_t pause_ms);
/* True if this has opened it. */
bool breaker_failed(struct breaker *breaker, int64_t now_ms, int64_t pause_ms,
	unsigned most);
/* True if this has closed it. */
bool breaker_succeeded(struct breaker *breaker);

#endif
