/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The filters whose answer may take time, called for one module at a time.
 *
 * All is [W].
 */
#ifndef WAITING_HOOKS_H
#define WAITING_HOOKS_H

#include <stdbool.h>

#include <strelaysrv/question.h>

struct hook_set;

/* Which filter is asked. */
enum question_kind {
	QUESTION_JOIN,    /* peer_join; its argument is the token */
	QUESTION_CONNECT, /* peer_connect; the target, as for the next */
	QUESTION_FIND,    /* peer_find */
	QUESTION_KINDS
};

/* How many modules of the set have that filter. */
unsigned waiting_hooks(const struct hook_set *set, enum question_kind kind);
/* The context of the i-th of them. */
struct relay_ctx *waiting_hook_module(
	const struct hook_set *set, enum question_kind kind, unsigned i);
/*
 * Calls it.  Returns RELAY_PASS, RELAY_WAIT, RELAY_DENY with out->why whole, or
 * for QUESTION_FIND RELAY_TAKE with out->found; any other answer is a refusal.
 */
enum relay_verdict waiting_hook_call(const struct hook_set *set,
	enum question_kind kind, unsigned i, struct relay_conn *conn,
	const void *arg, struct relay_decision *out);

/* Makes the same of an answer that comes later, from that module. */
enum relay_verdict waiting_hook_judge(struct relay_ctx *cx,
	enum question_kind kind, struct relay_decision *decision);

#endif
