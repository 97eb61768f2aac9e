/* SPDX-License-Identifier: MPL-2.0 */

/*
 * tally.h - counts failures by kind.
 *
 * Figures without their failures would be misleading, so every path that gives
 * up counts here, and every report shows the counts.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stdatomic.h>
#include <stdint.h>

enum failure {
	FAILURE_NONE,
	FAILURE_LOCAL, /* no descriptor, address or memory on our side */
	FAILURE_CONNECT,
	FAILURE_TLS,
	FAILURE_CLOSED, /* unexpected end of the stream */
	FAILURE_RESET,
	FAILURE_PROTOCOL, /* invalid bytes or messages */
	FAILURE_RELAY_FULL,
	FAILURE_NOT_FOUND,
	FAILURE_ALREADY_CONNECTED,
	FAILURE_REFUSED, /* any other Response */
	FAILURE_TIMEOUT, /* the client's timeout, --client-timeout */
	FAILURE_DATA,    /* received bytes differ from those sent */
	FAILURE_LIMIT,   /* the run's time, --limit */
	FAILURES
};

/* Any thread may add. */
struct tally {
	_Atomic uint64_t counts[FAILURES];
};

void tally_add(struct tally *tally, enum failure failure);
void tally_clear(struct tally *tally);
uint64_t tally_total(const struct tally *tally);
const char *failure_name(int failure);

/* The kind of failure for an errno of a socket. */
enum failure failure_of_errno(int error);

/* The kind of failure for a Response's code; FAILURE_NONE for success. */
enum failure failure_of_code(int32_t code);

#endif
