/* SPDX-License-Identifier: MPL-2.0 */

/* Counts reads from the socket below OpenSSL. */

#include <limits.h>

#include "tls/tls_failure.h"
#include "tls/tls_step.h"

/* After the handshake, SSL_read() reads at most one record. */
#define NO_LIMIT UINT_MAX

/* What this thread is doing. */
static _Thread_local struct {
	unsigned reads_left;
	bool cut, refused;
	enum tls_failure why;
} step = {.reads_left = NO_LIMIT};

static long count(BIO *io, int what, const char *bytes, size_t len, int argi,
	long argl, int ret, size_t *done)
{
	(void)bytes;
	(void)len;
	(void)argi;
	(void)argl;
	(void)done;
	if (what != BIO_CB_READ || step.reads_left == NO_LIMIT)
		return ret;
	if (step.reads_left > 0) {
		step.reads_left--;
		return ret;
	}
	step.cut = true;
	BIO_clear_retry_flags(io);
	BIO_set_retry_read(io);
	return -1;
}

void tls_step_watch(BIO *io)
{
	BIO_set_callback_ex(io, count);
}

void tls_step_begin(void)
{
	step.reads_left = TLS_STEP_READS;
	step.cut = step.refused = false;
}

bool tls_step_end(void)
{
	step.reads_left = NO_LIMIT;
	return step.cut;
}

void tls_step_cut(void)
{
	if (step.reads_left != NO_LIMIT)
		step.reads_left = 0;
}

void tls_step_refuse(enum tls_failure why)
{
	step.refused = true;
	step.why = why;
}

bool tls_step_refused(enum tls_failure *why)
{
	if (step.refused)
		*why = step.why;
	return step.refused;
}
