/* SPDX-License-Identifier: MPL-2.0 */

/*
 * seal.h - the frame of a message between nodes: version, type, generation,
 * sender, receiver, counter, the encrypted body, and an HMAC-SHA256 over all of
 * it.  [C]
 *
 * | byte | what                                        |
 * |------|---------------------------------------------|
 * | 0    | version: major in the upper 4 bits, minor   |
 * | 1    | type                                        |
 * | 2    | generation of the key                       |
 * | 6    | sender, never 0                             |
 * | 14   | receiver; 0: all                            |
 * | 22   | counter, never 0, SEAL_COUNTER_MOST at most |
 * | 30   | body, encrypted                             |
 * | last | the first SEAL_TAG bytes of the HMAC        |
 *
 * The body is encrypted by AES-256 in counter mode, because it may have the key
 * of a session, which is for one asker.  (GCM's nonce of 12 bytes has no room
 * for an incarnation and a counter.)  The first block of the mode's counter is
 * the sender's incarnation, 8 bytes, the message's counter, 7 bytes, and a 0: a
 * message has fewer than 256 blocks.  No block is used twice with one key, for:
 * - A process never uses a number twice, even if its message was not sent, and
 *   goes on counting when keys change.
 * - Another process has another incarnation: 64 random bits, which two of a
 *   million processes with the same key share with a probability of 3e-8.
 * (A machine that is started twice from one copy of its memory would repeat
 * itself.  Other nodes drop what comes second, as played again.)  What is not
 * encrypted says which nodes talk, what kind of message it is, and how long.
 *
 * Versions.  A new major means another frame or key: a node that does not know
 * it drops the message (SEAL_VERSION), before it looks further.  A new minor
 * means new types, and fields that are added to bodies (see message.h):
 * - From a higher minor, the added fields are ignored, and a new type is
 *   SEAL_UNKNOWN.  Both are no faults of the sender.
 * - From a lower minor, what it does not know is missing; the reader of the
 *   newer version takes it as 0.  A type that it would not know is not sent to
 *   it: message.version tells who is how new.
 * So nodes of all minors of a major work together, and an upgrade may go node
 * by node.  For a new major, a release that reads both and writes the old one
 * goes to all nodes before one that writes the new one.
 *
 * Keys are derived from the relay's private key, two for each generation (one
 * for the HMAC and one for the body), so a generation can be left behind
 * without a new key.pem.  The cluster's name belongs to the derivation: else
 * two clusters of one relay could be mixed up.  A message of the generations
 * next to the own one is accepted, so that nodes can change one after the
 * other.
 *
 * Replays are found without clocks: an incarnation is a random number of one
 * process, and its counter rises.  See replay.h and node_table.h.
 */
#ifndef CLUSTER_SEAL_H
#define CLUSTER_SEAL_H

#include <openssl/types.h>

#include "cluster/messages/message.h"

#define SEAL_VERSION_OWN 0x10
#define SEAL_KEY         32
#define SEAL_HEAD        30
#define SEAL_TAG         16
/* 7 bytes. */
#define SEAL_COUNTER_MOST (UINT64_MAX >> 8)

/* Of generation - 1, generation, + 1. */
struct seal_keys {
	uint32_t generation;
	uint8_t mac[3][SEAL_KEY];
	uint8_t cipher[3][SEAL_KEY];
};

struct seal {
	/* In the order of the keys. */
	struct seal_key {
		EVP_MAC_CTX *mac;       /* owned */
		EVP_CIPHER_CTX *cipher; /* owned */
	} key[3];
	uint32_t generation;
	uint64_t self;    /* the own incarnation */
	uint64_t counter; /* of the last message that was sealed */
};

enum seal_fault {
	SEAL_GOOD,
	SEAL_SHORT,      /* or longer than MESSAGE_MOST */
	SEAL_VERSION,    /* a major version that this program does not know */
	SEAL_GENERATION, /* a generation that is not accepted */
	SEAL_FORGED,     /* the HMAC is wrong: another key */
	SEAL_NOT_FOR_US, /* to another incarnation, or from ourselves */
	SEAL_MALFORMED,  /* the body, or a number that cannot be */
	SEAL_UNKNOWN,    /* a type of a newer version */
	SEAL_FAILED,     /* OpenSSL: memory is short, so it was not checked */
	SEAL_FAULTS
};
/* A word for logs and metric labels: "forged". */
const char *seal_fault_word(enum seal_fault fault);
/* All of them; the last one is NULL. */
extern const char *const seal_fault_words[SEAL_FAULTS + 1];

/* For a process with this incarnation, which is not 0.  0, or -1: OpenSSL has
 * failed, and there is nothing to finish.  OpenSSL keeps the keys; the caller
 * cleanses its own. */
int seal_init(struct seal *seal, const struct seal_keys *keys, uint64_t self);
/* Other keys for the same process: its counter goes on.  0, or -1: OpenSSL has
 * failed, and those of before stay. */
int seal_change(struct seal *seal, const struct seal_keys *keys);
/* Also after a failed seal_init(). */
void seal_finish(struct seal *seal);

/* Numbers and seals it.  Returns the length, or 0: it does not fit, has a value
 * that cannot be sent, or OpenSSL has failed.  A number is never used twice. */
size_t seal_close(
	struct seal *seal, struct message *message, uint8_t *out, size_t cap);
/* Nothing is decrypted before the HMAC was found right.  *out counts
 * with SEAL_GOOD; its type, version and from also with SEAL_NOT_FOR_US,
 * SEAL_MALFORMED and SEAL_UNKNOWN, for logs. */
enum seal_fault seal_open(const struct seal *seal, const uint8_t *bytes,
	size_t len, struct message *out);

#endif
