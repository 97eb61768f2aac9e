/* SPDX-License-Identifier: MPL-2.0 */

/* Loads the certificate and the key on a thread of its own. */

#include <stdlib.h>
#include <string.h>

#include <strelaysrv/thread.h>

#include "pem.h"
#include "pem_pair.h"

#define WAIT_MS 2000

struct pair {
	struct request_pem cert, key; /* owned */
	int result;
	struct relay_err err;
};

struct job {
	char *dir; /* owned */
	struct pair found;
	struct pair *to; /* valid until the work is dropped */
};

static void job_run(void *arg)
{
	struct job *job = arg;
	struct pair *found = &job->found;

	found->result = pem_load(&found->cert, job->dir, "cert.pem",
				&found->err) == 0 &&
					pem_load(&found->key, job->dir,
						"key.pem", &found->err) == 0
				? 0
				: -1;
}

static void job_done(struct relay_ctx *cx, void *arg)
{
	struct job *job = arg;

	(void)cx;
	*job->to = job->found;
	job->found.cert = job->found.key = (struct request_pem){.data = NULL};
}

static void job_free(void *arg)
{
	struct job *job = arg;

	pem_forget(&job->found.cert);
	pem_forget(&job->found.key);
	free(job->dir);
	free(job);
}

static const struct relay_work work = {
	.run = job_run, .done = job_done, .free = job_free};

int pem_pair_load(struct relay_ctx *cx, const char *dir,
	struct request_pem *cert, struct request_pem *key,
	struct relay_err *err)
{
	struct pair pair = {.result = -1};
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return relay_fail(err, "out of memory");
	job->to = &pair;
	job->dir = strdup(dir);
	if (!job->dir || relay_work_start(cx, &work, job, err) != 0) {
		if (!job->dir)
			(void)relay_fail(err, "out of memory");
		job_free(job);
		return -1;
	}
	if (!relay_work_wait(cx, WAIT_MS)) {
		relay_work_drop(cx);
		return relay_fail(err, "%.200s does not answer", dir);
	}
	*cert = pair.cert;
	*key = pair.key;
	if (pair.result == 0)
		return 0;
	pem_forget(cert);
	pem_forget(key);
	*err = pair.err;
	return -1;
}
