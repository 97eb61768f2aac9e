/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "accounts.h"
#include "conf_copy.h"
#include "data.h"
#include "in_force.h"
#include "nodes.h"

#define LOOK_MS  1000
#define WATCH_MS 60000

#define NO_LABELS "the metrics have no room for the names of tokens"

/* What the options' files say. */
struct files {
	struct policy *policy; /* owned; shared */
	struct bans bans;      /* owned */
};

int in_force_files_read(const void *values, void **out, struct relay_err *err)
{
	const struct conf *conf = values;
	struct files *files = calloc(1, sizeof(*files));

	if (!files)
		return relay_fail(err, "out of memory");
	files->policy = policy_make(conf, err);
	if (files->policy &&
		(!conf->bans[0] ||
			bans_read(&files->bans, conf->bans, err) == 0)) {
		*out = files;
		return 0;
	}
	in_force_files_free(files);
	return -1;
}

void in_force_files_free(void *arg)
{
	struct files *files = arg;

	if (!files)
		return;
	policy_free(files->policy);
	bans_free(&files->bans);
	free(files);
}

static void advise_on_names(struct relay_ctx *cx, const struct named *named)
{
	static const char *const texts[NAMED_ODDITIES] = {
		[NAMED_EXPIRED] = "have expired: nobody can join with them",
		[NAMED_SLOW] = "have a rate below 1000 bytes per second; write "
			       "a unit, as in rate=5MB/s",
		[NAMED_SHORT] = "have fewer than 16 characters and can be "
				"guessed; strelaysrv-testutil -make-token "
				"makes better ones"};

	for (int i = 0; i < NAMED_ODDITIES; i++)
		if (named->odd.count[i])
			relay_log(cx, RELAY_WARNING,
				"named-tokens: %zu of the tokens (the first is "
				"of %s) %s",
				named->odd.count[i], named->odd.first[i],
				texts[i]);
}

void in_force_advise(struct relay_ctx *cx, const void *conf)
{
	const struct files *files = relay_files(cx, conf);

	if (files)
		advise_on_names(cx, &files->policy->named);
}

/* `anew`: by a start or reload, which ends what commands have revoked. */
static void put_in_force(struct relay_ctx *cx, struct policy *next, bool anew)
{
	struct data *data = cx->data;
	struct policy *old;
	const char *shrunk = policy_shrunk(next, data->policy);

	if (shrunk)
		relay_log(cx, RELAY_WARNING,
			"%s: its files have fewer entries than before; to "
			"detect a file that was cut off, begin it with "
			"\"# entries: N\"",
			shrunk);
	relay_log(cx, RELAY_INFO, "%zu rules and %zu tokens are in force",
		policy_rules(next), next->tokens.count + next->named.count);
	advise_on_names(cx, &next->named);
	accounts_take(cx, &next->named, anew);
	pthread_mutex_lock(&data->lock);
	old = data->policy;
	data->policy = policy_keep(next);
	pthread_mutex_unlock(&data->lock);
	policy_free(old);
	nodes_again(cx);
	data->watch_until_ms = relay_now_ms(cx) + WATCH_MS;
}

/* A file that was taken while its writer paused is read again when the rest is
 * there.  Later changes wait for a reload, as those of other files do.  Both
 * the look and the reading may block, so relay_work_start() runs them on
 * another thread. */

/* A work that reads all lists again. */
struct again {
	const struct policy *of; /* what was in force; compared only */
	struct conf *conf;       /* owned */
	struct policy *policy;   /* owned; NULL: see err */
	struct relay_err err;
};

static void read_again(void *arg)
{
	struct again *again = arg;

	again->policy = policy_make(again->conf, &again->err);
}

static void have_read(struct relay_ctx *cx, void *arg)
{
	struct again *again = arg;
	const struct data *data = cx->data;

	if (data->policy != again->of)
		return; /* a reload has read them since */
	if (again->policy && accounts_label(cx, &again->policy->named) == 0) {
		put_in_force(cx, again->policy, false);
		accounting_reload(cx);
		return;
	}
	relay_log(cx, RELAY_ERROR, "%s; the previous lists stay in force",
		again->policy ? "out of memory" : again->err.text);
}

static void again_free(void *arg)
{
	struct again *again = arg;

	policy_free(again->policy);
	conf_copy_free(again->conf);
	free(again);
}

static const struct relay_work reading = {
	.run = read_again, .done = have_read, .free = again_free};

static void begin_reading(struct relay_ctx *cx)
{
	const struct data *data = cx->data;
	struct again *again = calloc(1, sizeof(*again));
	struct relay_err err = {.text = "out of memory"};

	if (again) {
		again->of = data->policy;
		again->conf = conf_copy(cx->conf);
		if (again->conf &&
			relay_work_start(cx, &reading, again, &err) == 0)
			return;
		again_free(again);
	}
	relay_log(cx, RELAY_ERROR, "%s; the previous lists stay in force",
		err.text);
}

/* A work that checks whether files have changed. */
struct look {
	struct policy *policy; /* owned */
	const char *path;      /* of one that has changed; NULL: none */
};

static void look_at_files(void *arg)
{
	struct look *look = arg;

	look->path = policy_changed_file(look->policy);
}

static void have_looked(struct relay_ctx *cx, void *arg)
{
	const struct look *look = arg;
	const struct data *data = cx->data;

	if (!look->path || data->policy != look->policy)
		return;
	relay_log(cx, RELAY_WARNING,
		"%s has changed since it was read, and may have been "
		"half-written: all lists are read again",
		look->path);
	begin_reading(cx);
}

static void look_free(void *arg)
{
	struct look *look = arg;

	policy_free(look->policy);
	free(look);
}

static const struct relay_work looking = {
	.run = look_at_files, .done = have_looked, .free = look_free};

static int64_t look_again(struct relay_ctx *cx, void *arg)
{
	struct data *data = cx->data;
	struct relay_err err = {.text = "out of memory"};
	struct look *look;

	(void)arg;
	banned_follow_clock(cx);
	if (relay_now_ms(cx) > data->watch_until_ms ||
		!policy_is_watched(data->policy))
		return LOOK_MS;
	look = calloc(1, sizeof(*look));
	if (look) {
		look->policy = policy_keep(data->policy);
		if (relay_work_start(cx, &looking, look, &err) == 0)
			return LOOK_MS;
		look_free(look);
	}
	relay_log_seldom(cx, RELAY_WARNING, &data->unseen,
		"cannot check whether the lists have changed: %s", err.text);
	return LOOK_MS;
}

int in_force_start(struct relay_ctx *cx, struct relay_err *err)
{
	const struct files *files = relay_files(cx, cx->conf);

	if (accounts_label(cx, &files->policy->named) != 0)
		return relay_fail(err, NO_LABELS);
	put_in_force(cx, files->policy, true);
	banned_take(cx, &files->bans, false);
	if (!relay_timer_add(cx, LOOK_MS, look_again, NULL))
		return relay_fail(err, "out of memory");
	return nodes_start(cx, err) == 0 ? accounting_start(cx, err) : -1;
}

int in_force_reload_prepare(
	struct relay_ctx *cx, const void *values, struct relay_err *err)
{
	const struct conf *conf = values, *before = cx->conf;
	const struct files *files = relay_files(cx, conf);
	struct data *data = cx->data;

	data->other_bans = strcmp(conf->bans, before->bans) != 0;
	return accounts_label(cx, &files->policy->named) == 0
		       ? 0
		       : relay_fail(err, NO_LABELS);
}

void in_force_reload_commit(struct relay_ctx *cx)
{
	const struct files *files = relay_files(cx, cx->conf);
	const struct data *data = cx->data;

	put_in_force(cx, files->policy, true);
	if (data->other_bans)
		banned_take(cx, &files->bans, true);
}
