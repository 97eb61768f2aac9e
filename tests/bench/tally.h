/* SPDX-License-Identifier: MPL-2.0 */

/*
 * tally.h - everything that went wrong, by kind.
 *
 * A figure is worth nothing if failures are left out of it, so every path that
 * gives something up counts here, and every report shows the counts.
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
	FAILURE_CLOSED, /* end of the stream where it was not due */
	FAILURE_RESET,
	FAILURE_PROTOCOL, /* bytes or messages that have no place there */
	FAILURE_RELAY_FULL,
	FAILURE_NOT_FOUND,
	FAILURE_ALREADY_CONNECTED,
	FAILURE_REFUSED, /* any other Response */
	FAILURE_TIMEOUT, /* the client's patience, --client-timeout */
	FAILURE_DATA,    /* other bytes than were sent */
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

/* What an errno of a socket stands for. */
enum failure failure_of_errno(int error);

/* What a Response's code stands for; FAILURE_NONE for success. */
enum failure failure_of_code(int32_t code);

#endif
