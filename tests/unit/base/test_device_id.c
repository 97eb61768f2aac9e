/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of device IDs as text, with IDs that Syncthing made. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "strelaysrv/device_id.h"

/* SHA-256 of cert.pem in DER form, and the output of syncthing --device-id. */
static const struct {
	const char *hex, *text;
} vectors[] = {
	{"2a5f8a795ad5626296da8d320d3b937e92398efe35488dd8cef7fc7892c3d629",
		"FJPYU6K-22VRGFS-FW2RUZA-2O4TP2D-JDTDX6G-VEI3WGR-O676HRE-"
		"WD2YUQV"},
	{"5a7448577bc2b03986593e7b07261cb5679ca5fa5330d3f47b87e70d2664641f",
		"LJ2EQV3-3YKYDTX-BSZHZ5Q-OJQ4WVL-TZZJP2K-MYNH5DS-3Q7TQ2J-"
		"TEMQPQP"},
	{"b940ab110d05bb69a4935fe813aa6a6ff90c7b787361fbeaca890cae8365ac6a",
		"XFAKWEI-NAW5WTB-JETL7UB-HKTKN73-4QY63YO-NQ7X2WJ-KREGK5A-"
		"3FVRVA3"},
};

static void bytes_of(const char *hex, uint8_t id[RELAY_DEVICE_ID_LEN])
{
	for (size_t i = 0; i < RELAY_DEVICE_ID_LEN; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		id[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

static void accept(const char *text, size_t vector)
{
	uint8_t id[RELAY_DEVICE_ID_LEN] = {0}, want[RELAY_DEVICE_ID_LEN];
	struct relay_err err = {""};

	bytes_of(vectors[vector].hex, want);
	if (relay_device_id_parse(text, id, &err))
		fail_msg("\"%s\": %s", text, err.text);
	assert_memory_equal(id, want, sizeof(id));
}

static void refuse(const char *text, const char *reason)
{
	uint8_t id[RELAY_DEVICE_ID_LEN], want[RELAY_DEVICE_ID_LEN];
	struct relay_err err = {""};

	memset(id, 0x5a, sizeof(id));
	memset(want, 0x5a, sizeof(want));
	assert_int_equal(relay_device_id_parse(text, id, &err), -1);
	if (!strstr(err.text, reason))
		fail_msg("got \"%s\", want \"%s\" in it", err.text, reason);
	assert_memory_equal(id, want, sizeof(id));
	assert_int_equal(relay_device_id_parse(text, id, NULL), -1);
}

static void prints_what_syncthing_prints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint8_t id[RELAY_DEVICE_ID_LEN];
		char text[RELAY_DEVICE_ID_TEXT];

		bytes_of(vectors[i].hex, id);
		relay_device_id_format(id, text);
		assert_string_equal(text, vectors[i].text);
		accept(text, i);
	}
}

/* With and without dashes and check characters.  A check character is every
 * 14th. */
static void reads_the_bare_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		char full[57], data[53];
		size_t f = 0, d = 0;

		for (const char *p = vectors[i].text; *p; p++) {
			if (*p == '-')
				continue;
			if (f % 14 != 13)
				data[d++] = *p;
			full[f++] = *p;
		}
		full[f] = data[d] = '\0';
		assert_int_equal(f, 56);
		assert_int_equal(d, 52);
		accept(full, i);
		accept(data, i);
	}
}

static void reads_what_people_write(void **state)
{
	(void)state;
	accept("fjpyu6k-22vrgfs-fw2ruza-2o4tp2d-jdtdx6g-vei3wgr-o676hre-"
	       "wd2yuqv",
		0);
	accept(" FJPYU6K 22VRGFS FW2RUZA 2O4TP2D JDTDX6G VEI3WGR O676HRE "
	       "WD2YUQV--",
		0);
	/* 0 is read as O, 1 as I, 8 as B; = is the padding of base32. */
	accept("FJPYU6K-22VRGFS-FW2RUZA-204TP2D-JDTDX6G-VE13WGR-0676HRE-"
	       "WD2YUQV====",
		0);
	accept("LJ2EQV33YKYDTX8SZHZ5QOJQ4WVLTZZJP2KMYNH5DS3Q7TQ2JTEMQPQP", 1);
}

static void names_the_group_with_the_error(void **state)
{
	char text[RELAY_DEVICE_ID_TEXT];

	(void)state;
	for (size_t at = 0; at < 63; at++) {
		char reason[64];

		memcpy(text, vectors[2].text, sizeof(text));
		if (text[at] == '-')
			continue;
		text[at] = text[at] == 'A' ? 'C' : 'A';
		(void)snprintf(reason, sizeof(reason),
			"check character in group %zu of 4", at / 16 + 1);
		refuse(text, reason);
	}
}

static void refuses_wrong_lengths(void **state)
{
	char text[200];

	(void)state;
	refuse("", "not 0");
	refuse("---", "not 0");
	refuse("FJPYU6K", "not 7");
	refuse("FJPYU6K-22VRGFS-FW2RUZA-2O4TP2D-JDTDX6G-VEI3WGR-O676HRE-"
	       "WD2YUQ",
		"not 55");
	refuse("FJPYU6K-22VRGFS-FW2RUZA-2O4TP2D-JDTDX6G-VEI3WGR-O676HRE-"
	       "WD2YUQVA",
		"more than 56");
	memset(text, '-', sizeof(text));
	text[199] = '\0';
	refuse(text, "more than 56");
}

static void refuses_other_characters(void **state)
{
	(void)state;
	refuse("FJPYU9K", "\"9\" at position 6");
	refuse("FJP=U6K", "\"=\" at position 4");
	refuse("FJPY\nU6K", "0x0a at position 5");
	refuse("FJPY\xc3\xa4", "0xc3 at position 5");
}

static void refuses_bits_after_the_last(void **state)
{
	(void)state;
	refuse("FJPYU6K22VRGFFW2RUZA2O4TP2JDTDX6GVEI3WGO676HREWD2YUR",
		"end in R");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_what_syncthing_prints),
		cmocka_unit_test(reads_the_bare_forms),
		cmocka_unit_test(reads_what_people_write),
		cmocka_unit_test(names_the_group_with_the_error),
		cmocka_unit_test(refuses_wrong_lengths),
		cmocka_unit_test(refuses_other_characters),
		cmocka_unit_test(refuses_bits_after_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
