/* SPDX-License-Identifier: MPL-2.0 */

/* One HTTP request about a device. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer.h"

struct transfer {
	const struct libcurl *curl;
	CURL *easy; /* owned; its connection stays for the next request */
	struct curl_slist *headers; /* owned, while it is under way */
	struct curl_loop_job job;
	struct setup *setup; /* held, while it is under way */
	void *owner;
	uint8_t device[ID_LEN];
	bool too_long;
	size_t len;
	char request[QUESTION_BODY];
	char why[CURL_ERROR_SIZE];
	char body[ANSWER_BODY_MOST];
};

struct transfer *transfer_new(const struct libcurl *curl)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer)
		return NULL;
	transfer->curl = curl;
	transfer->easy = curl->easy_init();
	if (transfer->easy)
		return transfer;
	free(transfer);
	return NULL;
}

void transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	transfer->curl->easy_cleanup(transfer->easy);
	free(transfer);
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t len = size * count;

	if (len > sizeof(transfer->body) - transfer->len) {
		transfer->too_long = true;
		return 0;
	}
	memcpy(transfer->body + transfer->len, data, len);
	transfer->len += len;
	return len;
}

/* Headers. */

static int add_header(struct transfer *transfer, const char *line)
{
	struct curl_slist *longer =
		transfer->curl->slist_append(transfer->headers, line);

	if (!longer)
		return -1;
	transfer->headers = longer;
	return 0;
}

/* iroh's relay sends the first, and its documentation names the second. */
static int add_iroh(struct transfer *transfer, const struct question *question)
{
	static const char *const names[] = {
		"X-Iroh-NodeId", "X-Iroh-Endpoint-Id"};
	char hex[QUESTION_HEX], line[sizeof(hex) + 32];
	int result = 0;

	question_hex(question, hex);
	for (size_t i = 0; i < 2 && result == 0; i++) {
		(void)snprintf(line, sizeof(line), "%s: %s", names[i], hex);
		result = add_header(transfer, line);
	}
	return result;
}

static int make_headers(
	struct transfer *transfer, const struct question *question)
{
	const struct setup *setup = transfer->setup;

	/* Without "Expect", which would take another round. */
	if (add_header(transfer, "Expect:") != 0 ||
		(setup->bearer && add_header(transfer, setup->bearer) != 0))
		return -1;
	return setup->dialect == DIALECT_IROH
		       ? add_iroh(transfer, question)
		       : add_header(transfer, "Content-Type: application/json");
}

/* Options.  The first one that libcurl refuses stops the sequence. */
#define SET(option, value)                                                     \
	((code = transfer->curl->easy_setopt(                                  \
		  transfer->easy, option, value)) == CURLE_OK)

static CURLcode set_common(struct transfer *transfer)
{
	CURLcode code = CURLE_OK;

	(void)(SET(CURLOPT_PRIVATE, transfer) &&
		SET(CURLOPT_ERRORBUFFER, transfer->why) &&
		SET(CURLOPT_WRITEFUNCTION, take_body) &&
		SET(CURLOPT_WRITEDATA, transfer) &&
		SET(CURLOPT_HEADERFUNCTION, curl_loop_header) &&
		SET(CURLOPT_HEADERDATA, &transfer->job) &&
		SET(CURLOPT_NOSIGNAL, 1L) &&
		SET(CURLOPT_PROTOCOLS_STR, "https,http") &&
		SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") &&
		SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
		SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
		SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
		SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
		SET(CURLOPT_TCP_NODELAY, 1L) &&
		/* Without this, cancelling waits for a silent name server. */
		SET(CURLOPT_QUICK_EXIT, 1L));
	return code;
}

static CURLcode set_blob(struct transfer *transfer, CURLoption option,
	const struct relay_file *file)
{
	/* `setup` keeps the file until the transfer has ended. */
	struct curl_blob blob = {.data = file->text,
		.len = file->size,
		.flags = CURL_BLOB_NOCOPY};
	CURLcode code = CURLE_OK;

	if (file->text)
		(void)SET(option, &blob);
	return code;
}

static CURLcode set_request(struct transfer *transfer)
{
	const struct setup *setup = transfer->setup;
	const struct setup_files *files = setup->files;
	CURLcode code = CURLE_OK;

	(void)(SET(CURLOPT_URL, setup->url) &&
		SET(CURLOPT_HTTPHEADER, transfer->headers) &&
		SET(CURLOPT_POSTFIELDS, transfer->request) &&
		SET(CURLOPT_POSTFIELDSIZE, (long)strlen(transfer->request)) &&
		SET(CURLOPT_USERAGENT, setup->agent) &&
		SET(CURLOPT_TIMEOUT_MS, (long)setup->timeout_ms));
	if (!code && setup->socket[0])
		(void)SET(CURLOPT_UNIX_SOCKET_PATH, setup->socket);
	if (!code)
		code = set_blob(transfer, CURLOPT_CAINFO_BLOB, &files->ca);
	if (!code && files->ca.text)
		(void)SET(CURLOPT_CAPATH, NULL);
	if (!code)
		code = set_blob(transfer, CURLOPT_SSLCERT_BLOB, &files->cert);
	if (!code)
		code = set_blob(transfer, CURLOPT_SSLKEY_BLOB, &files->key);
	return code;
}

int transfer_begin(struct transfer *transfer, struct curl_loop *loop,
	struct setup *setup, const struct question *question, void *owner)
{
	transfer->setup = setup_hold(setup);
	transfer->owner = owner;
	transfer->too_long = false;
	transfer->len = 0;
	transfer->why[0] = '\0';
	memcpy(transfer->device, question->device, ID_LEN);
	question_body(question, setup->dialect, transfer->request);
	transfer->curl->easy_reset(transfer->easy);
	if (make_headers(transfer, question) == 0 &&
		set_common(transfer) == CURLE_OK &&
		set_request(transfer) == CURLE_OK &&
		curl_loop_begin(loop, &transfer->job, transfer->easy) == 0)
		return 0;
	transfer_end(transfer, loop);
	return -1;
}

void *transfer_owner(const struct transfer *transfer)
{
	return transfer->owner;
}

static enum failure failure_of(enum answer_fault fault)
{
	static const enum failure failures[] = {
		[ANSWER_GOOD] = FAILURE_NONE,
		[ANSWER_STATUS] = FAILURE_STATUS,
		[ANSWER_REJECTED] = FAILURE_REJECTED,
		[ANSWER_REDIRECT] = FAILURE_REDIRECT,
		[ANSWER_UNREADABLE] = FAILURE_UNREADABLE,
		[ANSWER_OTHER_DEVICE] = FAILURE_OTHER_DEVICE,
	};

	return failures[fault];
}

enum failure transfer_result(
	struct transfer *transfer, CURLcode code, struct answer *out)
{
	enum failure failure;
	long status = 0;

	*out = (struct answer){.keep_ms = -1};
	if (code == CURLE_OK &&
		transfer->curl->easy_getinfo(transfer->easy,
			CURLINFO_RESPONSE_CODE, &status) == CURLE_OK) {
		failure = failure_of(answer_read(transfer->setup->dialect,
			status, transfer->body, transfer->len, transfer->device,
			out));
		if (failure == FAILURE_STATUS || failure == FAILURE_REJECTED ||
			failure == FAILURE_REDIRECT || out->trouble)
			(void)snprintf(out->reason, sizeof(out->reason),
				"HTTP status %ld", status);
		return failure;
	}
	(void)snprintf(out->reason, sizeof(out->reason), "%.95s",
		transfer->why[0] ? transfer->why
				 : transfer->curl->easy_strerror(code));
	if (transfer->too_long || transfer->job.headers_too_long)
		return FAILURE_LONG;
	return code == CURLE_OPERATION_TIMEDOUT ? FAILURE_TIMEOUT
						: FAILURE_UNREACHED;
}

void transfer_end(struct transfer *transfer, struct curl_loop *loop)
{
	curl_loop_end(loop, &transfer->job);
	/* It must not point to what is freed. */
	transfer->curl->easy_reset(transfer->easy);
	transfer->curl->slist_free_all(transfer->headers);
	transfer->headers = NULL;
	setup_let_go(transfer->setup);
	transfer->setup = NULL;
}
