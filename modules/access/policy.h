/* SPDX-License-Identifier: MPL-2.0 */

/*
 * policy.h - all lists and tokens, as the options and their files have them at
 * one time.  It is built completely, then replaces the last one.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdatomic.h>
#include <stdbool.h>

#include <strelaysrv/err.h>

#include "named.h"
#include "rules.h"
#include "tokens.h"

/* The lists, each as an allow list and a deny list. */
enum { WHO_CONNECTS, WHO_JOINS, WHO_ASKS, WHO_IS_ASKED, LISTS };
enum { ALLOW, DENY, HALVES };

struct conf {
	const char *const *lists[LISTS][HALVES];
	const char *const *tokens;
	const char *token_file;
	const char *named_tokens; /* a file; "": none */
	const char *bans;         /* a file; "": none */
	bool shared;
};

/* Names of the lists' options, also for error texts. */
#define CONNECT_ALLOW "connect-allow"
#define CONNECT_DENY  "connect-deny"
#define JOIN_ALLOW    "join-allow"
#define JOIN_DENY     "join-deny"
#define ASK_ALLOW     "ask-allow"
#define ASK_DENY      "ask-deny"
#define REACH_ALLOW   "reach-allow"
#define REACH_DENY    "reach-deny"

struct policy {
	atomic_uint more; /* owners beside the first */
	struct rules rules[LISTS][HALVES];
	struct tokens tokens;
	struct named named;
};

/* Reads the lists and their files.  NULL with err: an entry or a file is wrong,
 * or memory is short.  Free it with policy_free(). */
struct policy *policy_make(const struct conf *conf, struct relay_err *err);
/* NULL is allowed.  Any thread. */
void policy_free(struct policy *policy);
/* One more owner, who calls policy_free() as well.  Any thread. */
struct policy *policy_keep(struct policy *policy);

/* Rules of all lists. */
size_t policy_rules(const struct policy *policy);
/* The name of a deny list whose files have fewer entries than before, and do
 * not announce how many they have; NULL: none.  `before` may be NULL. */
const char *policy_shrunk(
	const struct policy *policy, const struct policy *before);
/* Whether a file may have been half-written when it was read. */
bool policy_is_watched(const struct policy *policy);
/* The path of a file that may have been half-written when it was read, and has
 * changed since; NULL: none. */
const char *policy_changed_file(struct policy *policy);

#endif
