/* SPDX-License-Identifier: MPL-2.0 */

/* What TLS needs at a start, prepared on a thread of its own. */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <strelaysrv/metric.h>
#include <strelaysrv/thread.h>

#include "base/instance.h"
#include "tls/identity.h"
#include "tls/identity_load.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "tls/p384.h"
#include "tls/tls.h"
#include "tls/tls_provider.h"
#include "tls/tls_random.h"
#include "tls/tls_selftest.h"
#include "tls/tls_selftest_sign.h"
#include "tls/tls_start.h"
#include "tls/tls_state.h"

static struct tls_starting *self(void)
{
	return &instance->tls->starting;
}

static void reach(enum tls_start_stage stage)
{
	struct tls_starting *start = self();

	pthread_mutex_lock(&start->lock);
	start->stage = stage;
	pthread_cond_broadcast(&start->changed);
	pthread_mutex_unlock(&start->lock);
}

static void await(enum tls_start_stage stage)
{
	struct tls_starting *start = self();

	pthread_mutex_lock(&start->lock);
	while (start->stage < stage)
		pthread_cond_wait(&start->changed, &start->lock);
	pthread_mutex_unlock(&start->lock);
}

/* Waits for a request.  Returns whether it is for handshakes. */
static bool await_request(void)
{
	struct tls_starting *start = self();
	bool selftests;

	pthread_mutex_lock(&start->lock);
	while (!start->selftests && !start->over)
		pthread_cond_wait(&start->changed, &start->lock);
	selftests = start->selftests;
	pthread_mutex_unlock(&start->lock);
	return selftests;
}

/*
 * If OpenSSL cannot set up its default library context, it uses it nevertheless
 * and crashes.  CRYPTO_get_ex_new_index() is the only call that uses that
 * context and checks it first.
 */
static bool library_is_usable(void)
{
	return OPENSSL_init_crypto(0, NULL) == 1 &&
	       CRYPTO_get_ex_new_index(
		       CRYPTO_EX_INDEX_APP, 0, NULL, NULL, NULL, NULL) >= 0;
}

/* Runs the self-tests with OpenSSL's default algorithms, which remember no
 * failure of ours. */
static void fall_back(void)
{
	struct tls_starting *start = self();

	start->fell_back = true;
	start->plain = tls_context_new(NULL);
	start->failed = start->plain ? tls_selftest_all(
					       start->plain, NULL, &start->fits)
				     : TLS_KEY_ALL;
}

static void *run(void *arg)
{
	struct tls_starting *start = self();
	struct tls_selftest *selftest = NULL;
	bool requested;

	(void)arg;
	start->usable = library_is_usable();
	reach(TLS_START_LIBRARY);
	if (start->usable) {
		start->libctx = tls_provider_take();
		start->ctx = tls_context_new(start->libctx);
	}
	requested = start->usable && await_request();
	if (requested && start->ctx)
		selftest = tls_selftest_new(start->ctx, start->libctx);
	reach(TLS_START_CONTEXT);
	if (requested)
		start->unfit = tls_selftest_run(selftest, &start->fits);
	reach(TLS_START_SELFTESTED);
	return NULL;
}

void tls_start_begin(void)
{
	struct tls_starting *start = self();

	start->threaded = relay_thread_start(&start->thread, run, NULL) == 0;
}

/* If no thread could be made, the work is done here, when it is needed. */
static void run_here(void)
{
	struct tls_starting *start = self();

	if (start->threaded || start->stage == TLS_START_SELFTESTED)
		return;
	start->selftests = true;
	(void)run(NULL);
}

int tls_start_await(struct relay_err *err)
{
	unsigned char byte;

	run_here();
	await(TLS_START_LIBRARY);
	/* Without random numbers OpenSSL would fail, too, but not give the
	 * reason. */
	if (tls_random_fill(&byte, sizeof(byte)) != 0)
		return relay_fail(err, "no random numbers: getrandom(2): %s",
			strerror(errno));
	return self()->usable
		       ? 0
		       : relay_fail(err,
				 "OpenSSL cannot be set up: out of memory");
}

static void request(bool *what)
{
	struct tls_starting *start = self();

	pthread_mutex_lock(&start->lock);
	*what = true;
	pthread_cond_broadcast(&start->changed);
	pthread_mutex_unlock(&start->lock);
}

void tls_start_join(void)
{
	struct tls_starting *start = self();

	if (start->threaded)
		(void)pthread_join(start->thread, NULL);
	start->threaded = false;
}

void tls_start_selftest(void)
{
	request(&self()->selftests);
}

void tls_start_openssl(void)
{
	self()->plain_wanted = true;
	request(&self()->over);
}

OSSL_LIB_CTX *tls_start_libctx(void)
{
	await(TLS_START_CONTEXT);
	return self()->plain_wanted ? NULL : self()->libctx;
}

SSL_CTX *tls_start_context(void)
{
	struct tls_starting *start = self();
	SSL_CTX *ctx;

	await(TLS_START_CONTEXT);
	if (start->plain_wanted)
		return tls_context_new(NULL);
	ctx = start->ctx;
	start->ctx = NULL;
	/* If the thread had no memory for a context, there may be memory now.
	 * Whether this context works, the handshakes will show. */
	return ctx ? ctx : tls_context_new(start->libctx);
}

/* Metrics. */

static int64_t read_fallback(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return self()->fell_back && !self()->plain_wanted;
}

static int64_t read_unusable(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return self()->failed >> value & 1;
}

static int64_t read_attached(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return !self()->detaches;
}

static const struct relay_metric_def metrics[] = {
	{
		.name = "tls_fallback",
		.kind = RELAY_GAUGE,
		.help = "1: at the start, handshakes with the "
			"server's own algorithms failed. OpenSSL's "
			"slower ones are used.",
		.read = read_fallback,
	},
	{
		.name = "tls_unusable",
		.kind = RELAY_GAUGE,
		.help = "1: at the start, handshakes with keys of "
			"this kind failed. Devices that have one "
			"cannot connect.",
		.label = "key",
		.values = tls_key_words,
		.read = read_unusable,
	},
	{
		.name = "tls_attached",
		.kind = RELAY_GAUGE,
		.help = "1: OpenSSL keeps all connections, as crypto is "
			"openssl, or as the server's own record layer failed "
			"at the start. A device takes up to 30 KiB more "
			"memory.",
		.read = read_attached,
	},
};

/* The result of the handshakes. */

static enum tls_key_kind kind_of(EVP_PKEY *key)
{
	char group[32] = "";

	if (EVP_PKEY_is_a(key, "RSA"))
		return TLS_KEY_RSA;
	if (EVP_PKEY_is_a(key, "ED25519"))
		return TLS_KEY_ED25519;
	(void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	if (strcmp(group, P384_NAME) == 0)
		return TLS_KEY_P384;
	return strcmp(group, "prime256v1") == 0 ? TLS_KEY_P256 : TLS_KEY_KINDS;
}

static int take_plain(
	struct identity *identity, const char *dir, struct relay_err *err)
{
	struct tls_starting *start = self();
	SSL_CTX *ctx = start->plain;

	start->plain = NULL;
	if (!ctx)
		return relay_fail(err, "out of memory");
	identity_finish(identity);
	if (identity_look(identity, dir, NULL, err) != 0)
		goto error;
	if (!identity->cert) {
		relay_fail(err, "%s has no keys any more", dir);
		goto error;
	}
	return tls_begin_anew(ctx, identity, err);
error:
	SSL_CTX_free(ctx);
	return -1;
}

static void tell_results(void)
{
	struct tls_starting *start = self();

	if (start->plain_wanted)
		log_core(RELAY_NOTICE,
			"TLS: with OpenSSL's own algorithms, as configured");
	else if (start->fell_back && start->libctx)
		log_core(RELAY_WARNING,
			"TLS does not work with the server's own algorithms, "
			"perhaps because memory was short: it continues with "
			"OpenSSL's, and takes longer; restart the server");
	for (unsigned kind = 0; kind < TLS_KEY_KINDS; kind++)
		if (start->failed & 1U << kind)
			log_core(RELAY_WARNING,
				"TLS does not work with %s keys: devices that "
				"have one cannot connect; restart the server",
				tls_key_words[kind]);
}

/* Only with a record layer that has passed its test. */
static void begin_to_detach(void)
{
	struct tls_starting *start = self();

	if (start->plain_wanted)
		return;
	start->detaches = start->fits && tls_detach() == 0;
	if (!start->detaches)
		log_core(RELAY_WARNING,
			"TLS: the server's own record layer does not work with "
			"%s, perhaps because memory was short: each device "
			"takes up to 30 KiB more; restart the server",
			OpenSSL_version(OPENSSL_VERSION));
}

/* Verifies signatures here while handshakes run on the other thread. */
static bool selftest(void)
{
	struct tls_starting *start = self();
	unsigned failed = tls_selftest_keys_check(start->libctx);

	tls_start_join();
	return start->unfit == 0 && failed == 0;
}

int tls_start_settle(
	struct identity *identity, const char *dir, struct relay_err *err)
{
	struct tls_starting *start = self();
	enum tls_key_kind own;

	if (start->plain_wanted)
		tls_start_join();
	if (start->plain_wanted || !selftest() ||
		tls_selftest_sign(identity->key, start->libctx) != 0)
		fall_back();
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		if (!metrics_add_core(&metrics[i]))
			return relay_fail(err, "no memory for metrics");
	tell_results();
	if (start->fell_back && take_plain(identity, dir, err) != 0)
		return -1;
	begin_to_detach();
	own = kind_of(identity->key);
	if (((own == TLS_KEY_KINDS || start->failed & 1U << own) &&
		    tls_try() != 0) ||
		(start->fell_back &&
			tls_selftest_sign(identity->key, NULL) != 0))
		return relay_fail(err,
			"TLS does not work with the key in %s: nobody could "
			"connect",
			dir);
	return 0;
}

void tls_start_finish(void)
{
	struct tls_starting *start = self();

	request(&start->over);
	tls_start_join();
	SSL_CTX_free(start->ctx);
	SSL_CTX_free(start->plain);
	start->ctx = start->plain = NULL;
	tls_provider_give(start->libctx);
	start->libctx = NULL;
}
