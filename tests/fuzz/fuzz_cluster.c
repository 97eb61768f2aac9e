/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes messages between the nodes of a cluster, and the table of nodes that
 * they make.  The first byte of the input has bits: 1: every HMAC is taken for
 * right, so that what is behind it is reached; 2: the table is almost full; 4:
 * bodies are encrypted, else they are taken as they are, for the same reason. A
 * message has before it a byte of time, in steps of 0.2 s, and two of its
 * length.
 *
 * What is accepted is written again as the same bytes.  A node becomes live
 * only when it has answered a HELLO, and its end is told once.
 */

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "cluster/messages/seal.h"
#include "cluster/nodes/node_table.h"
#include "fuzz.h"

#define SELF       0x1112131415161718
#define GENERATION 7
#define KEY        0x22
#define FULL       (NODES_MOST - 2)

static bool any_hmac, encrypted;

int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len);
int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
	return any_hmac ? 0 : memcmp(a, b, len);
}

int __real_EVP_EncryptUpdate(EVP_CIPHER_CTX *cipher, unsigned char *out,
	int *out_len, const unsigned char *in, int len);
int __wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *cipher, unsigned char *out,
	int *out_len, const unsigned char *in, int len);
int __wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *cipher, unsigned char *out,
	int *out_len, const unsigned char *in, int len)
{
	if (encrypted)
		return __real_EVP_EncryptUpdate(cipher, out, out_len, in, len);
	memcpy(out, in, (size_t)len);
	*out_len = len;
	return 1;
}

struct course {
	struct seal seal;
	struct node_table table;
	int64_t now_ms;
	uint64_t hello;     /* the counter of the last one */
	unsigned confirmed; /* those that were told so, less the gone ones */
};

static void gone(void *arg, const struct node *node)
{
	struct course *course = arg;

	FUZZ_CHECK(!node_lives(node, course->now_ms));
	FUZZ_CHECK(course->confirmed > 0);
	course->confirmed--;
}

static void check_table(const struct course *course)
{
	const struct node_table *table = &course->table;
	unsigned confirmed = 0;

	FUZZ_CHECK(table->count <= NODES_MOST);
	for (unsigned i = 0; i < table->count; i++) {
		const struct node *node = &table->node[i];

		FUZZ_CHECK(node->incarnation && node->incarnation != SELF);
		FUZZ_CHECK(
			node->ends_ms - course->now_ms <= NODES_LEASE_MOST_MS);
		FUZZ_CHECK(!node->confirmed ||
			   message_name_fits(node->facts.name));
		confirmed += node->confirmed;
	}
	FUZZ_CHECK(confirmed == course->confirmed);
}

static void check_each_is_there_once(const struct node_table *table)
{
	for (unsigned i = 0; i < table->count; i++)
		FUZZ_CHECK(nodes_find(table, table->node[i].incarnation) ==
			   &table->node[i]);
}

static void check_choice(const struct course *course)
{
	for (unsigned families = 0; families < 4; families++) {
		const struct node *node = nodes_choose(&course->table, families,
			0, course->hello * 0x9e3779b97f4a7c15U, course->now_ms);

		if (!node)
			continue;
		FUZZ_CHECK(node_lives(node, course->now_ms));
		FUZZ_CHECK(node->facts.state == NODE_OPEN);
		FUZZ_CHECK(!(families & 1) || node->facts.v4.len == 4);
		FUZZ_CHECK(!(families & 2) || node->facts.v6.len == 16);
	}
}

/* As if this node were like one of the others. */
static void check_comparison(const struct course *course)
{
	const struct node_facts *self = &course->table.node[0].facts;
	const struct node *twin =
		nodes_twin(&course->table, self, course->now_ms);

	FUZZ_CHECK(!twin || node_lives(twin, course->now_ms));
	FUZZ_CHECK(!twin || strcmp(twin->facts.name, self->name) == 0);
	if (nodes_above_share(&course->table, self, 80, course->now_ms))
		FUZZ_CHECK(
			self->capacity || self->sessions >= NODES_SHARE_LEAST);
}

static void check_same(
	const struct message *message, const uint8_t *body, size_t len)
{
	uint8_t again[MESSAGE_MOST];
	size_t written;

	FUZZ_CHECK(message_write(message, again, sizeof(again), &written) == 0);
	FUZZ_CHECK(written <= len && memcmp(again, body, written) == 0);
}

static void check_hmac(const uint8_t *bytes, size_t len)
{
	uint8_t key[SEAL_KEY], hmac[32];
	unsigned got;

	/* Those of the neighbours are others. */
	memset(key, KEY + bytes[5] - GENERATION, SEAL_KEY);
	FUZZ_CHECK(HMAC(EVP_sha256(), key, SEAL_KEY, bytes, len - SEAL_TAG,
		hmac, &got));
	FUZZ_CHECK(memcmp(hmac, bytes + len - SEAL_TAG, SEAL_TAG) == 0);
}

static void hear(struct course *course, const struct message *message)
{
	bool live = nodes_live(&course->table, message->from, course->now_ms);
	const struct node *node = nodes_find(&course->table, message->from);
	bool confirmed = node && node->confirmed;
	enum node_news news =
		nodes_heard(&course->table, message, course->now_ms);
	bool lives = nodes_live(&course->table, message->from, course->now_ms);

	FUZZ_CHECK((unsigned)news < NODE_NEWS);
	if (news == NODE_CONFIRMED) {
		FUZZ_CHECK(!confirmed && message->lease.answers &&
			   message->lease.answers <= course->hello);
		course->confirmed++;
	} else {
		FUZZ_CHECK(live || !lives || confirmed);
	}
	FUZZ_CHECK(!live || lives || news == NODE_LEFT);
	if (news == NODE_NEW)
		nodes_asked(&course->table, message->from, ++course->hello,
			course->now_ms);
}

/* The message has a block of its own, so that reads behind it are detected. */
static void receive(struct course *course, const uint8_t *data, size_t len)
{
	struct message message;
	uint8_t *bytes = malloc(len ? len : 1);
	enum seal_fault fault;

	FUZZ_CHECK(bytes);
	memcpy(bytes, data, len);
	fault = seal_open(&course->seal, bytes, len, &message);
	FUZZ_CHECK(seal_fault_word(fault)[0]);
	if (fault == SEAL_GOOD) {
		if (!any_hmac)
			check_hmac(bytes, len);
		if (!encrypted)
			check_same(&message, bytes + SEAL_HEAD,
				len - SEAL_HEAD - SEAL_TAG);
		hear(course, &message);
		FUZZ_CHECK(nodes_expire(&course->table, course->now_ms, gone,
				   course) >= 1);
		check_table(course);
		check_choice(course);
		check_comparison(course);
	}
	free(bytes);
}

/* Live nodes, from 0x1000 on. */
static void fill(struct course *course)
{
	struct message lease = {.type = MESSAGE_LEASE,
		.to = SELF,
		.counter = 1,
		.lease = {.name = "node", .lease_ms = 10000}};

	for (uint64_t i = 0; i < FULL; i++) {
		lease.from = 0x1000 + i;
		lease.counter = 1;
		hear(course, &lease);
		lease.counter = 2;
		lease.lease.answers = course->hello;
		hear(course, &lease);
	}
	FUZZ_CHECK(course->confirmed == FULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct course course; /* large */
	struct seal_keys keys = {.generation = GENERATION};

	if (size == 0)
		return 0;
	any_hmac = (data[0] & 1) != 0;
	encrypted = (data[0] & 4) != 0;
	for (int i = 0; i < 3; i++) {
		memset(keys.mac[i], KEY + i - 1, SEAL_KEY);
		memset(keys.cipher[i], KEY + 0x40 + i, SEAL_KEY);
	}
	course = (struct course){.now_ms = 1000};
	FUZZ_CHECK(seal_init(&course.seal, &keys, SELF) == 0);
	nodes_init(&course.table, SELF);
	if (data[0] & 2)
		fill(&course);
	data++;
	size--;
	while (size >= 3) {
		size_t len = (size_t)data[1] << 8 | data[2];

		course.now_ms += 200 * data[0];
		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		receive(&course, data, len);
		data += len;
		size -= len;
	}
	check_each_is_there_once(&course.table);
	seal_finish(&course.seal);
	return 0;
}
