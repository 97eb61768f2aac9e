/* SPDX-License-Identifier: MPL-2.0 */

#include "data.h"
#include "state.h"
#include "stored.h"

/* Without the file, an exhausted quota would start again at 0. */
int stored_may_be_missing(const struct conf *conf, struct relay_err *err)
{
	if (!conf->state_required)
		return 0;
	return relay_fail(err,
		"%.150s does not exist, and state-required is set",
		conf->state_file);
}

int stored_read(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	int result = state_read(conf->state_file, &data->meter, err);

	if (result != 1)
		return result;
	if (stored_may_be_missing(conf, err) != 0)
		return -1;
	relay_log(cx, RELAY_WARNING,
		"no %s: the count begins at 0; if the server has run "
		"before, what was used then is forgotten",
		conf->state_file);
	return 0;
}

void stored_save(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct relay_err err;

	data->saved_ms = relay_now_ms(cx);
	if (data->moved) /* the new process owns the file now */
		return;
	if (state_write(conf->state_file, &data->meter, &err) == 0)
		data->unsaved = false;
	else
		relay_log_seldom(cx, RELAY_ERROR, &data->unwritable,
			"%s; the count is lost if the server ends", err.text);
}

/* If the file is removed, or its disk unmounted, the count is not reset: this
 * process still has it. */
bool stored_is_gone(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;

	if (data->moved || state_exists(conf->state_file))
		return false;
	relay_log_seldom(cx, RELAY_WARNING, &data->gone,
		"%s is gone; it is written again with what was used",
		conf->state_file);
	return true;
}
