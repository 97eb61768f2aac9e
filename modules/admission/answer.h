/* SPDX-License-Identifier: MPL-2.0 */

/* answer.h - what the endpoint has answered about a device.  Pure. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_BODY_MOST 16384 /* bytes; a longer answer is none */
#define ANSWER_REASON    96    /* with its NUL; a longer one is cut */

enum dialect { DIALECT_OWN, DIALECT_DERPER, DIALECT_IROH, DIALECTS };

struct answer {
	bool allow;
	bool trouble;    /* it denies because of trouble of its own */
	int64_t rate;    /* bytes per second; 0: none */
	int64_t weight;  /* 1 to 1000; 0: none */
	int64_t quota;   /* bytes in a month; 0: none */
	int64_t keep_ms; /* for how long it counts; -1: it does not say */
	char reason[ANSWER_REASON]; /* its own words; "": none */
};

enum answer_fault {
	ANSWER_GOOD,
	ANSWER_STATUS,       /* another HTTP status */
	ANSWER_REJECTED,     /* an HTTP status that blames the question */
	ANSWER_REDIRECT,     /* it sends us elsewhere */
	ANSWER_UNREADABLE,   /* it is not what the dialect says */
	ANSWER_OTHER_DEVICE, /* it names another device */
};

/*
 * Reads the body of an HTTP answer about the device (32 bytes).  *out is only
 * complete after ANSWER_GOOD.  Work and memory are bounded by the body's
 * length.
 */
enum answer_fault answer_read(enum dialect dialect, long status,
	const char *body, size_t len, const uint8_t *device,
	struct answer *out);

/* Whether it limits the device. */
static inline bool answer_has_terms(const struct answer *answer)
{
	return answer->rate || answer->weight || answer->quota;
}

#endif
