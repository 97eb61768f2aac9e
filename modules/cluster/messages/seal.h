/* SPDX-License-Identifier: MPL-2.0 */

/*
 * seal.h - the frame of a message between nodes: version, sender, receiver,
 * counter, and an HMAC-SHA256 over all of it.
 *
 * Keys are derived from the relay's private key (relay_derive_key), one for
 * each generation, so a generation can be left behind without a new key.pem.
 * A message of the generations next to the own one is accepted, so that nodes
 * can change one after the other.
 *
 * Replays are found without clocks: an incarnation is a random number of one
 * process, and its counter rises.  See replay.h.
 */
#ifndef CLUSTER_SEAL_H
#define CLUSTER_SEAL_H

#include "cluster/messages/message.h"

#define SEAL_KEY 32

struct seal {
	uint8_t key[3][SEAL_KEY]; /* of generation - 1, generation, + 1 */
	uint32_t generation;
	uint64_t self;    /* the own incarnation */
	uint64_t counter; /* of the last message that was sealed */
};

enum seal_fault {
	SEAL_GOOD,
	SEAL_SHORT,      /* or longer than MESSAGE_MOST, or no message at all */
	SEAL_VERSION,    /* a version that this program does not know */
	SEAL_GENERATION, /* a generation that is not accepted */
	SEAL_FORGED,     /* the HMAC is wrong: another key */
	SEAL_NOT_FOR_US, /* to another incarnation, or from ourselves */
	SEAL_MALFORMED,  /* the body */
	SEAL_UNKNOWN,    /* a type of a newer version */
	SEAL_FAULTS
};
/* A word for logs and metric labels: "forged". */
const char *seal_fault_word(enum seal_fault fault);

/* Numbers and seals it.  Returns the length, or 0: it does not fit, or OpenSSL
 * has failed. */
size_t seal_close(
	struct seal *seal, struct message *message, uint8_t *out, size_t cap);
/* Checks the frame before anything of the body is read. */
enum seal_fault seal_open(const struct seal *seal, const uint8_t *bytes,
	size_t len, struct message *out);

#endif
