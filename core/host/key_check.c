/* SPDX-License-Identifier: MPL-2.0 */

/* Looks at the key files before a reload or an upgrade. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_wait.h"
#include "host/key_check.h"
#include "log/log.h"
#include "loop/blocking_task.h"
#include "tls/identity.h"
#include "tls/identity_dir.h"
#include "tls/identity_load.h"

/* What the task's thread uses. */
struct job {
	char *dir; /* owned */
	const struct identity *in_use;
	uint8_t id[RELAY_DEVICE_ID_LEN]; /* as found */
	bool failed;                     /* err says why */
	bool missing;                    /* there are none, which is no fault */
	bool forbidden; /* this user may not read them; root did */
	struct relay_err err;
	struct key_check *check; /* valid until the task is dropped */
};

struct key_check {
	struct task *task; /* owned; NULL: given up, `hang` says why */
	struct job *job;   /* valid as long as `task` */
	struct relay_err hang;
	bool over;
	void (*tell)(void *arg);
	void *arg;
};

static bool is_forbidden(const char *dir, const char *file)
{
	char path[4200];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	return eaccess(path, R_OK) != 0 && errno == EACCES;
}

static int look_for(struct job *job)
{
	struct identity found;

	if (identity_look(&found, job->dir, job->in_use->libctx, &job->err) !=
		0)
		return -1;
	job->missing = !found.cert;
	if (found.cert)
		memcpy(job->id, found.id, sizeof(job->id));
	identity_finish(&found);
	return 0;
}

static void job_run(void *arg)
{
	struct job *job = arg;

	file_wait_begin(job->dir);
	job->failed = look_for(job) != 0;
	job->forbidden = job->failed &&
			 (is_forbidden(job->dir, IDENTITY_CERT_FILE) ||
				 is_forbidden(job->dir, IDENTITY_KEY_FILE));
	file_wait_end();
}

static void job_done(void *arg)
{
	struct key_check *check = ((struct job *)arg)->check;

	if (!check->over) {
		check->over = true;
		check->tell(check->arg);
	}
}

static void job_free(void *arg)
{
	struct job *job = arg;

	free(job->dir);
	free(job);
}

static const struct task_kind kind = {
	.run = job_run, .done = job_done, .free = job_free};

static struct job *job_make(
	const char *dir, const struct identity *in_use, struct key_check *check)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->in_use = in_use;
	job->check = check;
	job->dir = strdup(dir);
	if (job->dir)
		return job;
	free(job);
	return NULL;
}

struct key_check *key_check_start(const char *dir,
	const struct identity *in_use, struct loop *loop,
	void (*over)(void *arg), void *arg)
{
	struct key_check *check = calloc(1, sizeof(*check));
	struct relay_err err = {.text = "out of memory"};

	if (check)
		*check = (struct key_check){.tell = over, .arg = arg};
	if (check)
		check->job = job_make(dir, in_use, check);
	if (check && check->job)
		check->task = task_start(&kind, check->job, loop, &err);
	if (check && check->task)
		return check;
	if (check && check->job)
		job_free(check->job);
	free(check);
	log_core(RELAY_ERROR, "%s", err.text);
	return NULL;
}

void key_check_poll(struct key_check *check)
{
	if (check->over)
		return;
	/* Without memory, the message of a task that has ended is lost. */
	if (!task_wait(check->task, 0)) {
		if (!task_hangs(check->task, &check->hang))
			return;
		task_drop(check->task);
		check->task = NULL;
	}
	check->over = true;
	check->tell(check->arg);
}

bool key_check_is_over(const struct key_check *check)
{
	return check->over;
}

int key_check_found(const struct key_check *check, const uint8_t **id,
	struct relay_err *err)
{
	*id = NULL;
	if (check->task && !check->job->failed) {
		*id = check->job->missing ? NULL : check->job->id;
		return 0;
	}
	*err = check->task ? check->job->err : check->hang;
	return -1;
}

static void tell_other(const struct job *job)
{
	char was[RELAY_DEVICE_ID_TEXT], is[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(job->in_use->id, was);
	relay_device_id_format(job->id, is);
	log_core(RELAY_WARNING,
		"%s/" IDENTITY_CERT_FILE " changes the ID from %s to %s: this "
		"needs a restart; until then the old ID stays in force",
		job->dir, was, is);
}

void key_check_log(const struct key_check *check)
{
	const struct job *job = check->job;
	struct relay_err err;
	const uint8_t *id;
	bool forbidden;

	if (key_check_found(check, &id, &err) != 0) {
		forbidden = check->task && job->forbidden;
		log_core(forbidden ? RELAY_NOTICE : RELAY_WARNING,
			"%s; the relay keeps the identity that it has%s",
			err.text,
			forbidden ? "" : ", but could not start again");
		return;
	}
	if (!id)
		log_core(RELAY_WARNING,
			"neither " IDENTITY_CERT_FILE " nor " IDENTITY_KEY_FILE
			" is in %s any more; the relay keeps the identity that "
			"it has, but could not start again",
			job->dir);
	else if (memcmp(id, job->in_use->id, sizeof(job->id)) != 0)
		tell_other(job);
}

void key_check_free(struct key_check *check)
{
	if (check && check->task)
		task_drop(check->task);
	free(check);
}
