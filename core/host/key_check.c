/* SPDX-License-Identifier: MPL-2.0 */

/* Looks at the key files during a reload. */

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
	uint8_t id[RELAY_DEVICE_ID_LEN]; /* as found; valid unless failed */
	bool failed;
	bool forbidden; /* this user may not read them; root did */
	struct relay_err err;
	struct key_look *look; /* valid until the task is dropped */
};

struct key_look {
	struct task *task; /* owned; NULL: given up */
	struct job *job;   /* valid as long as `task` */
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
	if (!found.cert)
		return relay_fail(&job->err,
			"neither " IDENTITY_CERT_FILE " nor " IDENTITY_KEY_FILE
			" is in %s any more",
			job->dir);
	memcpy(job->id, found.id, sizeof(job->id));
	identity_finish(&found);
	return 0;
}

static void job_run(void *arg)
{
	struct job *job = arg;

	file_busy_begin(job->dir);
	job->failed = look_for(job) != 0;
	job->forbidden = job->failed &&
			 (is_forbidden(job->dir, IDENTITY_CERT_FILE) ||
				 is_forbidden(job->dir, IDENTITY_KEY_FILE));
	file_busy_end();
}

static void job_done(void *arg)
{
	struct key_look *look = ((struct job *)arg)->look;

	if (!look->over) {
		look->over = true;
		look->tell(look->arg);
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
	const char *dir, const struct identity *in_use, struct key_look *look)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->in_use = in_use;
	job->look = look;
	job->dir = strdup(dir);
	if (job->dir)
		return job;
	free(job);
	return NULL;
}

struct key_look *key_look_start(const char *dir, const struct identity *in_use,
	struct loop *loop, void (*over)(void *arg), void *arg)
{
	struct key_look *look = calloc(1, sizeof(*look));
	struct relay_err err = {.text = "out of memory"};

	if (look)
		*look = (struct key_look){.tell = over, .arg = arg};
	if (look)
		look->job = job_make(dir, in_use, look);
	if (look && look->job)
		look->task = task_start(&kind, look->job, loop, &err);
	if (look && look->task)
		return look;
	if (look && look->job)
		job_free(look->job);
	free(look);
	log_core(RELAY_ERROR, "%s", err.text);
	return NULL;
}

void key_look_again(struct key_look *look)
{
	struct relay_err err;

	if (look->over)
		return;
	/* Without memory, the message of a task that has ended is lost. */
	if (!task_wait(look->task, 0)) {
		if (!task_hangs(look->task, &err))
			return;
		log_core(RELAY_WARNING,
			"%s; the relay keeps the identity that it has, but "
			"could not start again",
			err.text);
		task_drop(look->task);
		look->task = NULL;
	}
	look->over = true;
	look->tell(look->arg);
}

bool key_look_is_over(const struct key_look *look)
{
	return look->over;
}

static void tell_other(const struct job *job)
{
	char was[RELAY_DEVICE_ID_TEXT], is[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(job->in_use->id, was);
	relay_device_id_format(job->id, is);
	log_core(RELAY_WARNING,
		"%s/" IDENTITY_CERT_FILE " changes the ID from %s to %s: this "
		"needs a restart, until then the old one stays in force",
		job->dir, was, is);
}

void key_look_tell(const struct key_look *look)
{
	const struct job *job = look->job;

	if (!look->task)
		return;
	if (job->failed)
		log_core(job->forbidden ? RELAY_NOTICE : RELAY_WARNING,
			"%s; the relay keeps the identity that it has%s",
			job->err.text,
			job->forbidden ? "" : ", but could not start again");
	else if (memcmp(job->id, job->in_use->id, sizeof(job->id)) != 0)
		tell_other(job);
}

void key_look_free(struct key_look *look)
{
	if (look && look->task)
		task_drop(look->task);
	free(look);
}
