/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The room's state: that of each of its units.
 */
#ifndef TLS_STATE_H
#define TLS_STATE_H

#include <pthread.h>
#include <stdbool.h>

#include <openssl/ssl.h>

#include "tls/tls_record_keys.h"

#define TLS_ALPN_MOST 256

/* For tls.c. */
struct tls_contexts {
	OSSL_LIB_CTX *libctx; /* borrowed; NULL: OpenSSL's default */
	EVP_MD *sha256;       /* owned; fetched in libctx */
	SSL_CTX *ctx;         /* owned */
	/* Zeros: connections stay with OpenSSL. */
	struct tls_record_algorithms records;
	unsigned char alpn[TLS_ALPN_MOST]; /* in wire format: length, name */
	unsigned alpn_len;
};

enum tls_start_stage {
	TLS_START_NOTHING,
	TLS_START_LIBRARY,
	TLS_START_CONTEXT,
	TLS_START_SELFTESTED,
};

/* For tls_start.c. */
struct tls_starting {
	pthread_t thread;
	bool threaded; /* the thread is to be joined */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum tls_start_stage stage; /* the last one completed */
	bool selftests, over;       /* requests of the control thread */
	bool plain_wanted;          /* tls_start_openssl() was called */
	bool usable;                /* OpenSSL could be set up */
	OSSL_LIB_CTX *libctx;       /* from tls_provider_take() */
	SSL_CTX *ctx;               /* owned until tls_start_context() */
	SSL_CTX *plain;             /* owned; replaces ctx; NULL: it stays */
	unsigned unfit;  /* kinds of keys that failed in the handshakes */
	bool fits;       /* the record layer works with this OpenSSL */
	bool detaches;   /* it is in use */
	bool fell_back;  /* `plain` is in use */
	unsigned failed; /* kinds of keys that fail even so */
};

struct tls_state {
	struct tls_contexts contexts;
	struct tls_starting starting;
};

/* [C]  0, or -1 without memory. */
int tls_create(void);
/* [C]  After tls_finish() and tls_start_finish().  Accepts a state that was not
 * made. */
void tls_destroy(void);

#endif
