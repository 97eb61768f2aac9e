/* SPDX-License-Identifier: MPL-2.0 */

/* The filters whose answer may take time. */

#include "modules/hooks.h"
#include "modules/verdict.h"
#include "modules/waiting_hooks.h"

static const char *const names[QUESTION_KINDS] = {
	[QUESTION_JOIN] = "peer_join",
	[QUESTION_CONNECT] = "peer_connect",
	[QUESTION_FIND] = "peer_find",
};

unsigned waiting_hooks(const struct hook_set *set, enum question_kind kind)
{
	switch (kind) {
	case QUESTION_JOIN:
		return set->peer_join_count;
	case QUESTION_CONNECT:
		return set->peer_connect_count;
	case QUESTION_FIND:
		return set->peer_find_count;
	case QUESTION_KINDS:
		break;
	}
	return 0;
}

struct relay_ctx *waiting_hook_module(
	const struct hook_set *set, enum question_kind kind, unsigned i)
{
	if (kind == QUESTION_JOIN)
		return set->peer_join[i].cx;
	return kind == QUESTION_CONNECT ? set->peer_connect[i].cx
					: set->peer_find[i].cx;
}

static enum relay_verdict call(const struct hook_set *set,
	enum question_kind kind, unsigned i, struct relay_conn *conn,
	const void *arg, struct relay_decision *out)
{
	struct relay_ctx *cx = waiting_hook_module(set, kind, i);

	if (kind == QUESTION_JOIN)
		return set->peer_join[i].fn(cx, conn, arg, &out->why);
	if (kind == QUESTION_CONNECT)
		return set->peer_connect[i].fn(cx, conn, arg, &out->why);
	return set->peer_find[i].fn(cx, conn, arg, &out->found, &out->why);
}

static bool is_place(const struct relay_found *found)
{
	return (found->address_len == 0 || found->address_len == 4 ||
		       found->address_len == sizeof(found->address)) &&
	       found->key_len > 0 && found->key_len <= sizeof(found->key);
}

enum relay_verdict waiting_hook_judge(struct relay_ctx *cx,
	enum question_kind kind, struct relay_decision *decision)
{
	if (decision->verdict == RELAY_PASS)
		return RELAY_PASS;
	if (decision->verdict == RELAY_TAKE && kind == QUESTION_FIND &&
		is_place(&decision->found))
		return RELAY_TAKE;
	return verdict_refused(
		cx, names[kind], decision->verdict, &decision->why);
}

enum relay_verdict waiting_hook_call(const struct hook_set *set,
	enum question_kind kind, unsigned i, struct relay_conn *conn,
	const void *arg, struct relay_decision *out)
{
	struct relay_ctx *cx = waiting_hook_module(set, kind, i);
	const struct relay_ctx *before = hooks_enter(cx);

	/* A module that passed may have written to it. */
	out->why = (struct relay_denial){RELAY_REFUSE_POLICY, NULL};
	if (kind == QUESTION_FIND)
		out->found = (struct relay_found){.key_len = 0};
	out->verdict = call(set, kind, i, conn, arg, out);
	hooks_leave(before);
	return out->verdict == RELAY_WAIT ? RELAY_WAIT
					  : waiting_hook_judge(cx, kind, out);
}
