/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Questions whose answer takes time: a filter that must ask somebody else, such
 * as a database, answers later.  Since API 1.7.
 */
#ifndef RELAY_QUESTION_H
#define RELAY_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/hooks.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a peer meets a device that is not connected to this server. */
struct relay_found {
	uint8_t address[16]; /* IPv4: its first 4 bytes */
	uint8_t address_len; /* 4 or 16; 0: the address of this server */
	uint8_t key_len;     /* 1 .. 32 */
	uint16_t port;       /* in host order */
	uint8_t key[32];     /* what the peer says there to be recognized */
};

/*
 * The answer to a question.  `why` counts with RELAY_DENY, `found` with
 * RELAY_TAKE.
 */
struct relay_decision {
	enum relay_verdict verdict;
	struct relay_denial why;
	struct relay_found found;
};

/*
 * A filter peer_join, peer_connect or peer_find takes a ticket, keeps it, and
 * returns RELAY_WAIT.  Later the module answers by relay_settle().  Meanwhile
 * the connection waits, and everybody else is served.  If the module answers
 * RELAY_PASS, the modules after it are called.
 *
 * The server waits for `answer-timeout` (1.5 s) for all modules together. After
 * that, or if the module is removed by a reload, `otherwise` counts, RELAY_PASS
 * or RELAY_DENY.  If the connection ends, is moved or is paired, nobody waits
 * any more.  An answer that comes after that, a second one, and one of another
 * module change nothing and are counted (answers_dropped).
 */
struct relay_ticket {
	uint64_t conn;   /* relay_conn_id() */
	uint64_t number; /* never 0, never reused */
};
/*
 * In the filter only.  [W] False: it cannot wait, because the protocol module
 * does not know how to, the time is over, or too many questions wait already.
 * Then the filter decides at once; RELAY_WAIT counts as a refusal.  A ticket
 * that was taken is void if the filter then returns anything else.
 */
bool relay_ticket_take(struct relay_ctx *cx, enum relay_verdict otherwise,
	struct relay_ticket *out);
/*
 * Answers.  [*] `cx` is any context of the module that took the ticket; it need
 * not be of the calling thread.  `decision` is copied; RELAY_TAKE is for
 * peer_find.  Returns 0 if it is on its way; or -1 if memory is short or the
 * ticket is none, and then `otherwise` counts in the end.
 */
int relay_settle(struct relay_ctx *cx, const struct relay_ticket *ticket,
	const struct relay_decision *decision);

/*
 * Call a filter of all modules, for a protocol module that can wait.  [W] They
 * return RELAY_PASS, RELAY_DENY with decision->why, or for peer_find RELAY_TAKE
 * with decision->found: then `decided` is not called.  After RELAY_WAIT it is
 * called once, on the same thread, with one of these answers, unless the
 * connection ends, is moved or is paired before; a peer that closes meanwhile
 * is noticed although nothing is read from it.  `target` is the device that was
 * asked for, NULL after relay_ask_join_wait().  A connection has one question
 * at a time: a second one is refused with the word "waits-already".
 */
typedef void relay_decided_fn(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, const struct relay_decision *decision);
enum relay_verdict relay_ask_join_wait(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token,
	struct relay_decision *decision, relay_decided_fn *decided);
enum relay_verdict relay_ask_connect_wait(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_decision *decision, relay_decided_fn *decided);
/* RELAY_PASS: nobody knows the device. */
enum relay_verdict relay_ask_find(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, struct relay_decision *decision,
	relay_decided_fn *decided);
/* Whether any module has the hook peer_find. */
bool relay_can_find(struct relay_ctx *cx);

#ifdef __cplusplus
}
#endif

#endif
