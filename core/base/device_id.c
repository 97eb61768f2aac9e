/* SPDX-License-Identifier: MPL-2.0 */

/* Parses and formats device IDs: base32 with a Luhn check character per group.
 */

#include <stddef.h>
#include <string.h>

#include "strelaysrv/device_id.h"

#define TEXT_MAX  128 /* of a text to parse, with dashes and spaces */
#define GROUPS    4
#define GROUP_LEN 13 /* without its check character */
#define DATA_LEN  52 /* GROUPS * GROUP_LEN */
#define FULL_LEN  56 /* with the check characters */
#define BLOCK_LEN 7  /* between two dashes */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static uint8_t check_symbol(const uint8_t group[GROUP_LEN])
{
	unsigned sum = 0;

	for (unsigned i = 0; i < GROUP_LEN; i++) {
		unsigned p = group[i] * (1 + i % 2);

		sum += p / 32 + p % 32;
	}
	return (uint8_t)((32 - sum % 32) % 32);
}

/* The symbols have 260 bits: the 256 of the ID, then four that are zero. */
static void to_symbols(
	const uint8_t id[RELAY_DEVICE_ID_LEN], uint8_t sym[DATA_LEN])
{
	for (unsigned i = 0; i < DATA_LEN; i++) {
		unsigned at = i * 5 / 8, window = (unsigned)id[at] << 8;

		if (at + 1 < RELAY_DEVICE_ID_LEN)
			window |= id[at + 1];
		sym[i] = (uint8_t)(window >> (11 - i * 5 % 8) & 31);
	}
}

static void to_bytes(
	const uint8_t sym[DATA_LEN], uint8_t id[RELAY_DEVICE_ID_LEN])
{
	unsigned window = 0, bits = 0, at = 0;

	for (unsigned i = 0; i < DATA_LEN; i++) {
		window = (window << 5 | sym[i]) & 0xfff;
		bits += 5;
		if (bits < 8)
			continue;
		bits -= 8;
		id[at++] = (uint8_t)(window >> bits & 0xff);
	}
}

void relay_device_id_format(
	const uint8_t id[RELAY_DEVICE_ID_LEN], char out[RELAY_DEVICE_ID_TEXT])
{
	uint8_t sym[DATA_LEN], full[FULL_LEN];
	size_t at = 0;

	to_symbols(id, sym);
	for (size_t g = 0; g < GROUPS; g++) {
		uint8_t *to = full + g * (GROUP_LEN + 1);

		memcpy(to, sym + g * GROUP_LEN, GROUP_LEN);
		to[GROUP_LEN] = check_symbol(to);
	}
	for (size_t i = 0; i < FULL_LEN; i++) {
		if (i && i % BLOCK_LEN == 0)
			out[at++] = '-';
		out[at++] = alphabet[full[i]];
	}
	out[at] = '\0';
}

/*
 * What each character is: a symbol plus 1; 0: it does not occur.  Lists have up
 * to a million IDs, and a table takes a fifth of the time of comparisons.
 * Digits that base32 does not use are read as the letters they look like.
 */
#define SKIPPED                 33
#define LETTER(upper, lower, n) [upper] = (n) + 1, [lower] = (n) + 1
static const uint8_t symbols[256] = {
	LETTER('A', 'a', 0),
	LETTER('B', 'b', 1),
	LETTER('C', 'c', 2),
	LETTER('D', 'd', 3),
	LETTER('E', 'e', 4),
	LETTER('F', 'f', 5),
	LETTER('G', 'g', 6),
	LETTER('H', 'h', 7),
	LETTER('I', 'i', 8),
	LETTER('J', 'j', 9),
	LETTER('K', 'k', 10),
	LETTER('L', 'l', 11),
	LETTER('M', 'm', 12),
	LETTER('N', 'n', 13),
	LETTER('O', 'o', 14),
	LETTER('P', 'p', 15),
	LETTER('Q', 'q', 16),
	LETTER('R', 'r', 17),
	LETTER('S', 's', 18),
	LETTER('T', 't', 19),
	LETTER('U', 'u', 20),
	LETTER('V', 'v', 21),
	LETTER('W', 'w', 22),
	LETTER('X', 'x', 23),
	LETTER('Y', 'y', 24),
	LETTER('Z', 'z', 25),
	['2'] = 27,
	['3'] = 28,
	['4'] = 29,
	['5'] = 30,
	['6'] = 31,
	['7'] = 32,
	['0'] = 'O' - 'A' + 1,
	['1'] = 'I' - 'A' + 1,
	['8'] = 'B' - 'A' + 1,
	['-'] = SKIPPED,
	[' '] = SKIPPED,
};

static int fail_length(struct relay_err *err, size_t len)
{
	return relay_fail(err,
		"a device ID has 56 characters, or 52 without check "
		"characters, not %s%zu",
		len > FULL_LEN ? "more than " : "",
		len > FULL_LEN ? (size_t)FULL_LEN : len);
}

static int fail_symbol(struct relay_err *err, char c, size_t at)
{
	if (c > ' ' && c <= '~')
		return relay_fail(err,
			"\"%c\" at position %zu does not occur in device IDs; "
			"they consist of A-Z and 2-7",
			c, at + 1);
	return relay_fail(err,
		"byte 0x%02x at position %zu does not occur in device IDs; "
		"they consist of A-Z and 2-7",
		(unsigned)(unsigned char)c, at + 1);
}

static int read_symbols(const char *text, uint8_t sym[FULL_LEN], size_t *count,
	struct relay_err *err)
{
	size_t at = 0, end = strnlen(text, TEXT_MAX + 1), n = 0;

	if (end > TEXT_MAX)
		return fail_length(err, FULL_LEN + 1);
	while (end > 0 && text[end - 1] == '=')
		end--;
	while (at < end && text[at] == '=')
		at++;
	for (; at < end; at++) {
		uint8_t s = symbols[(unsigned char)text[at]];

		if (s == SKIPPED)
			continue;
		if (s == 0)
			return fail_symbol(err, text[at], at);
		if (n == FULL_LEN)
			return fail_length(err, FULL_LEN + 1);
		sym[n++] = s - 1;
	}
	*count = n;
	return 0;
}

static int strip_checks(const uint8_t full[FULL_LEN], uint8_t sym[DATA_LEN],
	struct relay_err *err)
{
	for (unsigned g = 0; g < GROUPS; g++) {
		const uint8_t *from = full + (size_t)g * (GROUP_LEN + 1);
		uint8_t want = check_symbol(from);

		if (from[GROUP_LEN] != want)
			return relay_fail(err,
				"wrong check character in group %u of %d "
				"(blocks %u and %u of the device ID): %c is "
				"written, %c would fit; look for a typing "
				"error there",
				g + 1, GROUPS, 2 * g + 1, 2 * g + 2,
				alphabet[from[GROUP_LEN]], alphabet[want]);
		memcpy(sym + (size_t)g * GROUP_LEN, from, GROUP_LEN);
	}
	return 0;
}

int relay_device_id_parse(const char *text, uint8_t id[RELAY_DEVICE_ID_LEN],
	struct relay_err *err)
{
	uint8_t full[FULL_LEN], sym[DATA_LEN] = {0};
	size_t count = 0;

	if (read_symbols(text, full, &count, err))
		return -1;
	if (count != FULL_LEN && count != DATA_LEN)
		return fail_length(err, count);
	if (count == DATA_LEN)
		memcpy(sym, full, DATA_LEN);
	else if (strip_checks(full, sym, err))
		return -1;
	/* Syncthing ignores these bits.  They must be zero here, so that an ID
	 * has one spelling; and in an ID without check characters this is the
	 * only typing error that can be detected. */
	if (sym[DATA_LEN - 1] & 15)
		return relay_fail(err,
			"a device ID cannot end in %c (before its check "
			"character), only in A or Q",
			alphabet[sym[DATA_LEN - 1]]);
	to_bytes(sym, id);
	return 0;
}
