/* SPDX-License-Identifier: MPL-2.0 */

/* replies.h - what the answers of a server mean.  Pure: an answer may have any
 * type, whatever the server is. */
#ifndef REDIS_REPLIES_H
#define REDIS_REPLIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/redis/redis_counts.h"
#include "cluster/redis/resp.h"
#include "cluster/registry.h"

#define REPLY_TEXT 160 /* of an answer in a message, with its end */

/* The kind of error; REDIS_FAULTS: it is none. */
enum redis_fault reply_fault(const struct resp *reply);
/* Whether it is an error of that word. */
bool reply_begins(const struct resp *reply, const char *word);
/* Words about it, for a message. */
const char *reply_fault_text(enum redis_fault fault);
/* An error, or the type of the answer, without control characters. */
void reply_describe(const struct resp *reply, char text[REPLY_TEXT]);

/* Each returns 0, or -1 if the answer is something else. */

int reply_claim(
	const struct resp *reply, struct owner *before, struct owner *now);
int reply_find(const struct resp *reply, enum find_end *end);
/* `next` is where the next page begins, terminated; "0": there is none. */
int reply_leases(
	const struct resp *reply, char next[24], const struct resp **leases);
/* The row that is stored; the key is not in the answer. */
int reply_row(const struct resp *reply, struct registry_row *row);
/* The list has rows, each after its key: see reply_keyed_row(). */
int reply_rows(const struct resp *reply, struct registry_page *page,
	const struct resp **rows);
int reply_keyed_row(const struct resp *reply, struct registry_row *row);
/* *id is in the answer. */
int reply_identify(const struct resp *reply, const uint8_t **id);
/* The SHA1 of a script, in hexadecimal. */
int reply_loaded(const struct resp *reply, char sha[41]);

enum role { ROLE_PRIMARY, ROLE_REPLICA, ROLE_SENTINEL };
struct reply_role {
	enum role role;
	const struct resp *host; /* ROLE_REPLICA: that of its primary */
	uint64_t port;
};
int reply_role(const struct resp *reply, struct reply_role *out);

/* The answer of a Sentinel.  NULL: it knows no such master. */
int reply_master(
	const struct resp *reply, const struct resp **host, uint64_t *port);
/* An error such as "MOVED 1234 HOST:PORT"; *host and *len are in the answer. */
int reply_moved(const struct resp *reply, const uint8_t **host, size_t *len,
	uint64_t *port);

struct reply_info {
	char run_id[41];
	unsigned major, minor; /* of the version */
};
int reply_info(const struct resp *reply, struct reply_info *out);
/* The one value of CONFIG GET, terminated. */
int reply_config(const struct resp *reply, char value[32]);

enum push { PUSH_MESSAGE, PUSH_SUBSCRIBED, PUSH_PONG };
/* What comes to a subscription; `bytes` is the message. */
int reply_push(
	const struct resp *reply, enum push *push, const struct resp **bytes);

#endif
