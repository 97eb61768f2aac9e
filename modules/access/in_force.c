/* SPDX-License-Identifier: MPL-2.0 */

#include "in_force.h"

#define LOOK_MS  1000
#define WATCH_MS 60000

/*
 * What in_force_check() has read is what comes into force: a file that is
 * written anew between the two is the next reload's.  Global, since the check
 * gets no context.  [C]
 */
static struct {
	const void *conf;      /* whose; compared only */
	struct policy *policy; /* owned */
} checked;

/* What is only checked, by -check, is never loaded. */
__attribute__((destructor)) static void forget_checked(void)
{
	policy_free(checked.policy);
	checked.policy = NULL;
}

int in_force_check(const void *values, struct relay_err *err)
{
	policy_free(checked.policy);
	checked.conf = values;
	checked.policy = policy_make(values, err);
	return checked.policy ? 0 : -1;
}

static struct policy *take_checked(
	const struct conf *conf, struct relay_err *err)
{
	struct policy *policy = checked.policy;

	if (!policy || checked.conf != conf)
		return policy_make(conf, err);
	checked.policy = NULL;
	return policy;
}

static void put_in_force(struct relay_ctx *cx, struct policy *next)
{
	struct data *data = cx->data;
	struct policy *old;

	relay_log(cx, RELAY_INFO, "%zu rules and %zu tokens are in force",
		policy_rules(next), next->tokens.count);
	pthread_mutex_lock(&data->lock);
	old = data->policy;
	data->policy = next;
	pthread_mutex_unlock(&data->lock);
	policy_free(old);
	data->watch_until_ms = relay_now_ms(cx) + WATCH_MS;
}

/* A file that was taken while its writer paused is read again when the rest is
 * there.  Later changes wait for a reload, as those of other files do. */
static int64_t look_again(struct relay_ctx *cx, void *arg)
{
	struct data *data = cx->data;
	struct policy *policy;
	struct relay_err err;
	const char *path;

	(void)arg;
	if (relay_now_ms(cx) > data->watch_until_ms)
		return LOOK_MS;
	path = policy_changed_file(data->policy);
	if (!path)
		return LOOK_MS;
	relay_log(cx, RELAY_WARNING,
		"%s has changed since it was read, and may have been "
		"half-written: all lists are read again",
		path);
	policy = policy_make(cx->conf, &err);
	if (policy)
		put_in_force(cx, policy);
	else
		relay_log(cx, RELAY_ERROR,
			"%s; what was in force stays in force", err.text);
	return LOOK_MS;
}

int in_force_start(struct relay_ctx *cx, struct relay_err *err)
{
	struct policy *policy = take_checked(cx->conf, err);

	if (!policy)
		return -1;
	put_in_force(cx, policy);
	return relay_timer_add(cx, LOOK_MS, look_again, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

int in_force_reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	struct data *data = cx->data;

	data->next = take_checked(conf, err);
	return data->next ? 0 : -1;
}

void in_force_reload_commit(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	put_in_force(cx, data->next);
	data->next = NULL;
}

void in_force_reload_abandon(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	policy_free(data->next);
	data->next = NULL;
}
