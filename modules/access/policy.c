/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>

#include <strelaysrv/module.h>

#include "policy.h"

static const char *const names[LISTS][HALVES] = {
	[WHO_CONNECTS] = {[ALLOW] = CONNECT_ALLOW, [DENY] = CONNECT_DENY},
	[WHO_JOINS] = {[ALLOW] = JOIN_ALLOW, [DENY] = JOIN_DENY},
	[WHO_ASKS] = {[ALLOW] = ASK_ALLOW, [DENY] = ASK_DENY},
	[WHO_IS_ASKED] = {[ALLOW] = REACH_ALLOW, [DENY] = REACH_DENY},
};

void policy_free(struct policy *policy)
{
	if (!policy || atomic_fetch_sub(&policy->more, 1) > 0)
		return;
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			rules_free(&policy->rules[list][half]);
	tokens_free(&policy->tokens);
	named_free(&policy->named);
	free(policy);
}

struct policy *policy_keep(struct policy *policy)
{
	atomic_fetch_add(&policy->more, 1);
	return policy;
}

/* Announces all files before the first one is read, so that
 * relay_file_read_whole() waits once for all of them. */
static void look_at_files(const struct conf *conf)
{
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			rules_look(conf->lists[list][half]);
	if (conf->token_file[0])
		relay_file_look(conf->token_file);
	if (conf->named_tokens[0])
		relay_file_look(conf->named_tokens);
}

static int policy_fill(
	struct policy *policy, const struct conf *conf, struct relay_err *err)
{
	static const unsigned kinds[LISTS] = {
		[WHO_CONNECTS] = RULES_ADDRESSES,
		[WHO_JOINS] = RULES_IDS | RULES_ADDRESSES,
		[WHO_ASKS] = RULES_IDS | RULES_ADDRESSES,
		[WHO_IS_ASKED] = RULES_IDS,
	};
	static const unsigned halves[HALVES] = {[ALLOW] = RULES_NOT_NONE};

	look_at_files(conf);
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			if (rules_read(&policy->rules[list][half],
				    names[list][half], conf->lists[list][half],
				    kinds[list] | halves[half], err) != 0)
				return -1;
	if (named_read(&policy->named, conf->named_tokens, err) != 0)
		return -1;
	return tokens_read(
		&policy->tokens, conf->tokens, conf->token_file, err);
}

struct policy *policy_make(const struct conf *conf, struct relay_err *err)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		relay_fail(err, "out of memory");
	else if (policy_fill(policy, conf, err) == 0)
		return policy;
	policy_free(policy);
	return NULL;
}

size_t policy_rules(const struct policy *policy)
{
	size_t count = 0;

	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			count += rules_count(&policy->rules[list][half]);
	return count;
}

const char *policy_shrunk(
	const struct policy *policy, const struct policy *before)
{
	for (int list = 0; before && list < LISTS; list++) {
		const struct rules *rules = &policy->rules[list][DENY];

		if (rules->uncounted &&
			rules->entries < before->rules[list][DENY].entries)
			return names[list][DENY];
	}
	return NULL;
}

bool policy_is_watched(const struct policy *policy)
{
	size_t count = policy->tokens.watch.count + policy->named.watch.count;

	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			count += policy->rules[list][half].watch.count;
	return count > 0;
}

const char *policy_changed_file(struct policy *policy)
{
	const char *path = watch_changed(&policy->tokens.watch);

	if (!path)
		path = watch_changed(&policy->named.watch);
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES && !path; half++)
			path = watch_changed(&policy->rules[list][half].watch);
	return path;
}
