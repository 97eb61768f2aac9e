/* SPDX-License-Identifier: MPL-2.0 */

/* Cases of unusual ClientHellos of up to 16 KiB. */

#include <stdlib.h>
#include <string.h>

#include "cases.h"

#define MESSAGE_MOST   (4 + 16384)
#define RECORD_HEADER  5
#define RECORD_LONGEST 16384
/* Size of the other fields; the repeated part fills the rest. */
#define FILLED 15800

/* RFC 8446, 4.2. */
enum {
	GROUPS = 10,
	SIGNATURES = 13,
	PROTOCOLS = 16,
	PADDING = 21,
	VERSIONS = 43,
	SHARES = 51,
	UNKNOWN = 0x4000,
};

struct writer {
	unsigned char bytes[MESSAGE_MOST];
	size_t len;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
	if (len > MESSAGE_MOST - w->len)
		abort(); /* a row of the table is wrong */
	memcpy(w->bytes + w->len, bytes, len);
	w->len += len;
}

static void put16(struct writer *w, size_t number)
{
	const unsigned char two[] = {
		(unsigned char)(number >> 8), (unsigned char)number};

	put(w, two, sizeof(two));
}

/* Reserves a length of two bytes, which end_vector() fills in. */
static size_t begin_vector(struct writer *w)
{
	put16(w, 0);
	return w->len;
}

static void end_vector(struct writer *w, size_t at)
{
	w->bytes[at - 2] = (unsigned char)((w->len - at) >> 8);
	w->bytes[at - 1] = (unsigned char)(w->len - at);
}

static void put_extension(
	struct writer *w, size_t type, const void *bytes, size_t len)
{
	size_t at;

	put16(w, type);
	at = begin_vector(w);
	put(w, bytes, len);
	end_vector(w, at);
}

/* The repeated part, and its place. */
struct hello {
	const char *name;
	size_t type; /* of the extension; 0: the cipher suites */
	size_t each; /* bytes of one repetition */
	const char *what;
	size_t total;       /* bytes of all repetitions */
	size_t record_size; /* 0: the largest allowed */
};

static const struct hello hellos[] = {
	{"1.3, hello of 130 bytes", PADDING, 0, "", 0, 0},
	{"1.3, hello in records of one byte", PADDING, 0, "", 2500, 1},
	{"1.3, hello with padding", PADDING, 0, "", FILLED, 0},
	{"1.3, hello with suites that we know", 0, 2, "\xc0\x2b", FILLED, 0},
	{"1.3, hello with suites that we do not know", 0, 2, "\xfa\x2b", FILLED,
		0},
	{"1.3, hello with signature algorithms", SIGNATURES, 2, "\x08\x09",
		FILLED, 0},
	{"1.3, hello with protocols", PROTOCOLS, 2, "\x01\x61", FILLED, 0},
	{"1.3, hello with unknown extensions", UNKNOWN, 0, "", FILLED, 0},
	{"1.3, hello with 2,600 groups and 2,100 shares", SHARES, 5,
		"\x7f\xff\x00\x01\x61", 10500, 0},
};

static void put_repeated(struct writer *w, const struct hello *hello)
{
	for (size_t n = 0; hello->each && n < hello->total; n += hello->each)
		put(w, hello->what, hello->each);
}

static void put_list(struct writer *w, const struct hello *hello, size_t type,
	const void *last, size_t len)
{
	size_t extension, list;

	put16(w, type);
	extension = begin_vector(w);
	list = begin_vector(w);
	if (hello->type == type)
		put_repeated(w, hello);
	put(w, last, len);
	end_vector(w, list);
	end_vector(w, extension);
}

static void put_groups(struct writer *w, const struct hello *hello)
{
	size_t extension, list;

	put16(w, GROUPS);
	extension = begin_vector(w);
	list = begin_vector(w);
	if (hello->type == SHARES) {
		for (size_t i = 0; i < 2600; i++)
			put16(w, 0x2000 + i);
		put16(w, 0x7fff);
	}
	put16(w, 0x001d);
	end_vector(w, list);
	end_vector(w, extension);
}

static void put_others(struct writer *w, const struct hello *hello)
{
	static const unsigned char zeros[MESSAGE_MOST];

	if (hello->type == PADDING && hello->total)
		put_extension(w, PADDING, zeros, hello->total);
	for (size_t n = 0; hello->type == UNKNOWN && n < hello->total; n += 4)
		put_extension(w, UNKNOWN + n / 4, "", 0);
	if (hello->type == PROTOCOLS)
		put_list(w, hello, PROTOCOLS, "", 0);
}

static void make_message(struct writer *w, const struct hello *hello)
{
	static const unsigned char begin[4 + 2 + 32 + 1] = {1, 0, 0, 0, 3, 3};
	/* RFC 7748, 6.1: a public key. */
	static const unsigned char share[] = "\x00\x1d\x00\x20"
					     "\xde\x9e\xdb\x7d\x7b\x7d\xc1\xb4"
					     "\xd3\x5b\x61\xc2\xec\xe4\x35\x37"
					     "\x3f\x83\x43\xc8\x5b\x78\x67\x4d"
					     "\xad\xfc\x7e\x14\x6f\x88\x2b\x4f";
	size_t at;

	w->len = 0;
	put(w, begin, sizeof(begin));
	at = begin_vector(w);
	if (hello->type == 0)
		put_repeated(w, hello);
	put(w, "\x13\x01\x13\x03", 4);
	end_vector(w, at);
	put(w, "\x01\x00", 2);
	at = begin_vector(w);
	put_extension(w, VERSIONS, "\x02\x03\x04", 3);
	put_list(w, hello, SIGNATURES, "\x04\x03", 2);
	put_groups(w, hello);
	put_list(w, hello, SHARES, share, sizeof(share) - 1);
	put_others(w, hello);
	end_vector(w, at);
	w->bytes[2] = (unsigned char)((w->len - 4) >> 8);
	w->bytes[3] = (unsigned char)(w->len - 4);
}

static size_t make_records(
	const struct writer *w, size_t size, unsigned char *out)
{
	size_t len = 0;

	for (size_t at = 0; at < w->len; at += size) {
		size_t n = w->len - at < size ? w->len - at : size;
		const unsigned char header[RECORD_HEADER] = {
			0x16, 3, 1, (unsigned char)(n >> 8), (unsigned char)n};

		memcpy(out + len, header, sizeof(header));
		memcpy(out + len + sizeof(header), w->bytes + at, n);
		len += sizeof(header) + n;
	}
	return len;
}

int cases_visit_hellos(case_fn *fn, void *arg)
{
	struct writer *w = malloc(sizeof(*w));
	unsigned char *out = malloc(MESSAGE_MOST * (RECORD_HEADER + 1));
	int done = w && out ? 0 : -1;

	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]) && !done;
		i++) {
		struct handshake_case one = {hellos[i].name, NULL, out, 0};

		make_message(w, &hellos[i]);
		one.len = make_records(w,
			hellos[i].record_size ? hellos[i].record_size
					      : RECORD_LONGEST,
			out);
		done = fn(&one, arg);
	}
	free(out);
	free(w);
	return done;
}
