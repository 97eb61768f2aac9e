/* SPDX-License-Identifier: MPL-2.0 */

/* What a check of another relay finds.  Names and time are the test's; the
 * relay is one of its own on loopback. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "endpoint/probe.h"
#include "shared/lookup.h"

#define ADDRESSES 6
#define STEPS     2000
#define END_MS    10000

/* Name servers. */

static struct {
	unsigned begun, ended;
	int error;
	bool none; /* no memory for a lookup */
	struct addrinfo list[ADDRESSES];
	struct sockaddr_in at[ADDRESSES];
} names;

struct lookup *lookup_begin(const char *host, const char *service, int type)
{
	assert_string_equal(host, "h");
	assert_string_equal(service, "1");
	assert_int_equal(type, SOCK_STREAM);
	names.begun += !names.none;
	return names.none ? NULL : (struct lookup *)&names;
}

int lookup_result(struct lookup *lookup, const struct addrinfo **list)
{
	assert_ptr_equal(lookup, &names);
	*list = names.list;
	return names.error;
}

void lookup_end(struct lookup *lookup)
{
	names.ended += lookup != NULL;
}

/* The i-th address of the name is the one of that socket. */
static void is_at(size_t i, int fd)
{
	socklen_t len = sizeof(names.at[i]);

	assert_int_equal(
		getsockname(fd, (struct sockaddr *)&names.at[i], &len), 0);
	names.list[i] = (struct addrinfo){.ai_family = AF_INET,
		.ai_addr = (struct sockaddr *)&names.at[i],
		.ai_addrlen = sizeof(names.at[i])};
	if (i)
		names.list[i - 1].ai_next = &names.list[i];
}

/* The other relay. */

static struct {
	EVP_PKEY *key;
	X509 *certificate;
	uint8_t id[32];
	const char *protocol; /* NULL: none */
	bool two_certificates;
	int listener, fd;
	SSL_CTX *tls;
	SSL *ssl;
} relay;

static int choose(SSL *ssl, const unsigned char **out, unsigned char *len,
	const unsigned char *offered, unsigned offered_len, void *arg)
{
	(void)ssl;
	(void)arg;
	assert_int_equal(offered_len, 10);
	assert_memory_equal(offered,
		"\x09"
		"bep-relay",
		10);
	if (!relay.protocol)
		return SSL_TLSEXT_ERR_NOACK;
	*out = (const unsigned char *)relay.protocol;
	*len = (unsigned char)strlen(relay.protocol);
	return SSL_TLSEXT_ERR_OK;
}

static int listen_somewhere(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* An address at which nobody listens: it was just given up. */
static void is_at_nobody(size_t i)
{
	int fd = listen_somewhere();

	is_at(i, fd);
	(void)close(fd);
}

static int make_certificate(void **unused)
{
	(void)unused;
	relay.key = EVP_EC_gen("P-256");
	relay.certificate = X509_new();
	assert_non_null(relay.key);
	assert_non_null(relay.certificate);
	assert_int_equal(
		ASN1_INTEGER_set(X509_get_serialNumber(relay.certificate), 1),
		1);
	(void)X509_gmtime_adj(X509_getm_notBefore(relay.certificate), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(relay.certificate), 3600);
	assert_int_equal(X509_set_pubkey(relay.certificate, relay.key), 1);
	assert_true(X509_sign(relay.certificate, relay.key, EVP_sha256()) > 0);
	assert_int_equal(
		X509_digest(relay.certificate, EVP_sha256(), relay.id, NULL),
		1);
	return 0;
}

static int free_certificate(void **unused)
{
	(void)unused;
	X509_free(relay.certificate);
	EVP_PKEY_free(relay.key);
	return 0;
}

static unsigned descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static unsigned open_before;

static int setup(void **unused)
{
	(void)unused;
	open_before = descriptors();
	memset(&names, 0, sizeof(names));
	relay.protocol = "bep-relay";
	relay.two_certificates = false;
	relay.listener = listen_somewhere();
	relay.fd = -1;
	relay.ssl = NULL;
	is_at(0, relay.listener);
	relay.tls = SSL_CTX_new(TLS_server_method());
	assert_non_null(relay.tls);
	SSL_CTX_set_alpn_select_cb(relay.tls, choose, NULL);
	assert_int_equal(
		SSL_CTX_use_certificate(relay.tls, relay.certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(relay.tls, relay.key), 1);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	SSL_free(relay.ssl);
	SSL_CTX_free(relay.tls);
	if (relay.fd >= 0)
		(void)close(relay.fd);
	(void)close(relay.listener);
	assert_int_equal(names.begun, names.ended);
	assert_int_equal(descriptors(), open_before);
	return 0;
}

static void accept_one(void)
{
	if (relay.fd >= 0)
		return;
	relay.fd = accept(relay.listener, NULL, NULL);
	if (relay.fd >= 0)
		assert_int_equal(fcntl(relay.fd, F_SETFL, O_NONBLOCK), 0);
}

/* Goes on with the relay's side of the handshake. */
static void serve(void)
{
	accept_one();
	if (relay.fd < 0)
		return;
	if (!relay.ssl) {
		if (relay.two_certificates)
			assert_int_equal(SSL_CTX_add1_chain_cert(
						 relay.tls, relay.certificate),
				1);
		relay.ssl = SSL_new(relay.tls);
		assert_int_equal(SSL_set_fd(relay.ssl, relay.fd), 1);
	}
	(void)SSL_accept(relay.ssl);
}

/* The check. */

static struct probe probe;
static struct other_uri uri;

/* Checks the relay; `other` is called between two steps, and time stands still
 * at now_ms. */
static enum probe_result check_at(void (*other)(void), int64_t now_ms)
{
	SSL_CTX *tls = probe_context();
	unsigned steps = 0;

	assert_non_null(tls);
	if (probe.stage == PROBE_IDLE)
		probe_begin(&probe, &uri, END_MS);
	while (!probe_step(&probe, &uri, tls, now_ms)) {
		assert_true(steps++ < STEPS);
		if (other)
			other();
		assert_true(poll(NULL, 0, 1) == 0);
	}
	SSL_CTX_free(tls);
	assert_null(probe.ssl);
	return probe.result;
}

/* Goes on for some steps at that time; the check does not end. */
static void goes_on(void (*other)(void), int64_t now_ms)
{
	SSL_CTX *tls = probe_context();

	if (probe.stage == PROBE_IDLE)
		probe_begin(&probe, &uri, END_MS);
	for (unsigned i = 0; i < 20; i++) {
		assert_false(probe_step(&probe, &uri, tls, now_ms));
		if (other)
			other();
		assert_true(poll(NULL, 0, 1) == 0);
	}
	SSL_CTX_free(tls);
}

static void expect(const uint8_t *id)
{
	memset(&probe, 0, sizeof(probe));
	uri = (struct other_uri){.host = "h", .port = "1", .has_id = id};
	if (id)
		memcpy(uri.id, id, sizeof(uri.id));
}

static void the_right_relay_answers(void **unused)
{
	unsigned char byte;

	(void)unused;
	expect(relay.id);
	assert_int_equal(check_at(serve, 1), PROBE_ANSWERS);
	/* It is told that the client leaves. */
	for (unsigned i = 0; i < STEPS && !SSL_is_init_finished(relay.ssl); i++)
		serve();
	assert_int_equal(SSL_read(relay.ssl, &byte, 1), 0);
	assert_int_equal(SSL_get_error(relay.ssl, 0), SSL_ERROR_ZERO_RETURN);
}

static void without_an_id_any_relay_will_do(void **unused)
{
	(void)unused;
	expect(NULL);
	assert_int_equal(check_at(serve, 1), PROBE_ANSWERS);
}

static void another_ones_certificate_is_found(void **unused)
{
	static const uint8_t other[32] = {1};

	(void)unused;
	expect(other);
	assert_int_equal(check_at(serve, 1), PROBE_OTHER_ID);
	assert_memory_equal(probe.why.text, "its ID is ", 10);
}

static void two_certificates_are_not_one(void **unused)
{
	(void)unused;
	relay.two_certificates = true;
	expect(relay.id);
	assert_int_equal(check_at(serve, 1), PROBE_OTHER_ID);
}

static void another_protocol_is_found(void **unused)
{
	(void)unused;
	relay.protocol = NULL;
	expect(relay.id);
	assert_int_equal(check_at(serve, 1), PROBE_NO_RELAY);
}

static void with_tls_1_2_as_well(void **unused)
{
	(void)unused;
	assert_int_equal(
		SSL_CTX_set_max_proto_version(relay.tls, TLS1_2_VERSION), 1);
	expect(relay.id);
	assert_int_equal(check_at(serve, 1), PROBE_ANSWERS);
}

static void says_hello(void)
{
	accept_one();
	if (relay.fd >= 0)
		(void)send(relay.fd, "220 ready\r\n", 11, MSG_NOSIGNAL);
}

static void what_is_no_tls_is_found(void **unused)
{
	(void)unused;
	expect(relay.id);
	assert_int_equal(check_at(says_hello, 1), PROBE_NO_TLS);
	assert_true(probe.why.text[0]);
}

static void hangs_up(void)
{
	accept_one();
	if (relay.fd < 0)
		return;
	(void)close(relay.fd);
	relay.fd = -1;
}

static void who_hangs_up_does_not_answer(void **unused)
{
	(void)unused;
	expect(relay.id);
	assert_int_equal(check_at(hangs_up, 1), PROBE_NO_TLS);
	assert_true(probe.why.text[0]);
}

static void who_says_nothing_is_given_up(void **unused)
{
	(void)unused;
	expect(relay.id);
	goes_on(accept_one, 1);
	assert_int_equal(probe.stage, PROBE_SHAKING_HANDS);
	goes_on(accept_one, END_MS - 1);
	assert_int_equal(check_at(accept_one, END_MS), PROBE_SILENT);
}

static void who_refuses_is_unreached(void **unused)
{
	(void)unused;
	is_at_nobody(0);
	expect(relay.id);
	assert_int_equal(check_at(NULL, 1), PROBE_UNREACHED);
	assert_string_equal(probe.why.text, strerror(ECONNREFUSED));
}

static void a_further_address_is_tried(void **unused)
{
	(void)unused;
	is_at_nobody(0);
	is_at(1, relay.listener);
	expect(relay.id);
	assert_int_equal(check_at(serve, 1), PROBE_ANSWERS);
}

static void not_all_of_many_addresses_are_tried(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ADDRESSES - 1; i++)
		is_at_nobody(i);
	is_at(ADDRESSES - 1, relay.listener);
	expect(relay.id);
	assert_int_equal(check_at(serve, 1), PROBE_UNREACHED);
}

/* As a client does: it uses the first address that takes the connection. */
static void the_first_connection_decides(void **unused)
{
	int other = listen_somewhere();

	(void)unused;
	is_at(0, other);
	is_at(1, relay.listener);
	expect(relay.id);
	goes_on(serve, 1);
	goes_on(serve, END_MS - 1);
	assert_int_equal(check_at(serve, END_MS), PROBE_SILENT);
	(void)close(other);
}

/* Nobody accepts there, and its queue is full: the kernel takes no more. */
static void an_address_without_answer_leaves_time_for_others(void **unused)
{
	int full = listen_somewhere(), waiting[4];

	(void)unused;
	assert_int_equal(listen(full, 0), 0);
	is_at(0, full);
	is_at(1, relay.listener);
	for (size_t i = 0; i < 4; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(waiting[i] >= 0);
		(void)connect(waiting[i], (struct sockaddr *)&names.at[0],
			sizeof(names.at[0]));
	}
	expect(relay.id);
	goes_on(serve, 1);
	goes_on(serve, END_MS / 2 - 1);
	assert_int_equal(check_at(serve, END_MS / 2), PROBE_ANSWERS);
	for (size_t i = 0; i < 4; i++)
		(void)close(waiting[i]);
	(void)close(full);
}

static void a_name_without_address_is_found(void **unused)
{
	(void)unused;
	names.error = EAI_NONAME;
	expect(relay.id);
	assert_int_equal(check_at(NULL, 1), PROBE_UNRESOLVED);
	assert_string_equal(probe.why.text, gai_strerror(EAI_NONAME));
}

static void a_silent_name_server_holds_one_thread(void **unused)
{
	(void)unused;
	names.error = EAI_INPROGRESS;
	expect(relay.id);
	goes_on(NULL, END_MS - 1);
	assert_int_equal(check_at(NULL, END_MS), PROBE_UNRESOLVED);
	assert_int_equal(check_at(NULL, END_MS), PROBE_UNRESOLVED);
	assert_int_equal(names.begun, 1);
	assert_int_equal(names.ended, 0);
	names.error = 0;
	assert_int_equal(check_at(serve, 1), PROBE_ANSWERS);
	assert_int_equal(names.begun, 1);
}

static void what_is_missing_here_is_told_apart(void **unused)
{
	struct rlimit usual, none;

	(void)unused;
	expect(relay.id);
	names.none = true;
	assert_int_equal(check_at(NULL, 1), PROBE_NOT_MADE);
	names.none = false;
	names.error = EAI_MEMORY;
	assert_int_equal(check_at(NULL, 1), PROBE_NOT_MADE);
	names.error = 0;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = usual;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(check_at(NULL, 1), PROBE_NOT_MADE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_int_equal(check_at(serve, 1), PROBE_ANSWERS);
}

static void it_can_be_ended_at_any_time(void **unused)
{
	(void)unused;
	expect(relay.id);
	names.error = EAI_INPROGRESS;
	goes_on(NULL, 1);
	probe_finish(&probe);
	names.error = 0;
	goes_on(accept_one, 1);
	probe_finish(&probe);
	assert_int_equal(probe.stage, PROBE_IDLE);
	probe_finish(&probe);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_right_relay_answers),
		TEST(without_an_id_any_relay_will_do),
		TEST(another_ones_certificate_is_found),
		TEST(two_certificates_are_not_one),
		TEST(another_protocol_is_found),
		TEST(with_tls_1_2_as_well),
		TEST(what_is_no_tls_is_found),
		TEST(who_hangs_up_does_not_answer),
		TEST(who_says_nothing_is_given_up),
		TEST(who_refuses_is_unreached),
		TEST(a_further_address_is_tried),
		TEST(not_all_of_many_addresses_are_tried),
		TEST(the_first_connection_decides),
		TEST(an_address_without_answer_leaves_time_for_others),
		TEST(a_name_without_address_is_found),
		TEST(a_silent_name_server_holds_one_thread),
		TEST(what_is_missing_here_is_told_apart),
		TEST(it_can_be_ended_at_any_time),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as the server does */
	return cmocka_run_group_tests(
		tests, make_certificate, free_certificate);
}
