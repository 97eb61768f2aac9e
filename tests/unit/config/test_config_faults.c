/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the reports of errors in configuration files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config/config.h"
#include "config_fixture.h"
#include "sample_options.h"

#define NUL_FAULT(line, escape)                                                \
	line ": the escape sequence \\" escape                                 \
	     "\xe2\x80\xa6 is a NUL byte, which would end the text there; "    \
	     "write \\\\ for a backslash"

#define NO_NAME(is)                                                            \
	"the name of an option should begin here, but there is " is            \
	"; text with spaces must be quoted"

static void tells_line_and_range_of_bad_values(void **state)
{
	assert_told(*state,
		"# one\n\nworkers = 300\n"
		"relay {\n\tping-interval = 10ms\n\tstrict = 2\n}\n",
		"error: a.conf:3: option workers: 300 is out of range; 0 to "
		"256 is allowed\n"
		"error: a.conf:5: option ping-interval of section relay: 10ms "
		"is out of range; 1s to 24h0m0s is allowed\n"
		"error: a.conf:6: option strict of section relay: \"2\" is "
		"neither true nor false; write one of true, false, yes, no, "
		"on, off, 1, 0\n");
}

static void tells_all_unknown_words_in_order(void **state)
{
	assert_told(*state,
		"lisen = \":1\"\n"
		"workers = 300\n"
		"relay { ping-intervall = 1m\n"
		"  bad = { a, \"}\", c } }\n"
		"rely { x = 1 y { z = 2 } }\n"
		"log \"title\" { level = debug }\n",
		"error: a.conf:1: there is no option \"lisen\"; did you mean "
		"\"listen\"?\n"
		"error: a.conf:2: option workers: 300 is out of range; 0 to "
		"256 is allowed\n"
		"error: a.conf:3: section relay has no option "
		"\"ping-intervall\"; did you mean \"ping-interval\"?\n"
		"error: a.conf:4: section relay has no option \"bad\"\n"
		"error: a.conf:5: section \"rely\" belongs to no module that "
		"is installed; did you mean \"relay\"?\n"
		"error: a.conf:6: syntax error: missing opening brace for "
		"section 'log'\n");
}

static void tells_where_an_option_belongs(void **state)
{
	struct fixture *f = *state;

	assert_told(f, "ping-interval = 1m\n",
		"error: a.conf:1: there is no option \"ping-interval\"; it "
		"belongs into section relay\n");
	assert_told(f, "relay.ping-interval = 1m\n",
		"error: a.conf:1: there is no option \"relay.ping-interval\"; "
		"it "
		"is the flag of the option ping-interval in section relay: "
		"write relay { ping-interval = ... }\n");
	assert_told(f, "relay {\n keys = .\n}\n",
		"error: a.conf:2: section relay has no option \"keys\"; it "
		"belongs to the top level, outside of sections\n");
	assert_told(f, "relay { log { } }\n",
		"error: a.conf:1: section relay cannot contain a section, but "
		"has \"log\"\n");
	assert_told(f, "inclode(\"x\")\n",
		"error: a.conf:1: there is no function \"inclode\"; did you "
		"mean \"include\"?\n");
}

static void tells_words_that_want_quotes(void **state)
{
	struct fixture *f = *state;

	assert_told(f, "relay {\n provided-by = My Relay\n}\n",
		"error: a.conf:2: column 19: the name of an option should "
		"begin here; text with spaces must be quoted\n");
	assert_told(f, "listen = *:22067\n",
		"error: a.conf:1: text with the character * must be quoted\n");
}

static void tells_syntax_errors(void **state)
{
	static const char *const cases[][2] = {
		{"keys /x\n", "1: syntax error: missing equal sign after "
			      "option 'keys'"},
		{"keys = {a}\n", "1: syntax error: unexpected token '{'"},
		{"keys += a\n", "1: syntax error: attempt to append to "
				"non-list option 'keys'"},
		{"\nkeys =", "2: syntax error: premature end of file"},
		{"}\n", "1: syntax error: unexpected closing brace"},
		{"relay {\nlog { }\n", "1: the brace { is not closed"},
		{"\nlisten = { \":1\"\n", "2: the brace { is not closed"},
		{"\nkeys = \"abc\nlisten = \":1\"\n",
			"2: the quote \" is not closed on its line"},
		{"keys = 'abc", "1: the quote ' is not closed on its line"},
		{"\n/* x\n", "2: the comment is not closed"},
		{"/*/", "1: the comment is not closed"},
		{"\ninclude(\"b\", \"c\")",
			"2: write the path of one file between ( and )"},
		{"include(\"b\"",
			"1: write the path of one file between ( and )"},
		{"keys = \"\\9876\"", "1: syntax error: bad escape sequence "
				      "'\\9'; write \\\\ for a backslash"},
		{"listen = { a b }", "1: syntax error: unexpected text; items "
				     "of a list need commas between them, and "
				     "text with spaces must be quoted"},
		{"keys = a \"\"\n", "1: column 10: " NO_NAME("an empty text")},
		{"\n \"\" = 3", "2: column 2: " NO_NAME("an empty text")},
		{"relay { '' }", "1: column 9: " NO_NAME("an empty text")},
		{"log { ${A:-b} = 3 }", "1: column 7: " NO_NAME("a variable")},
		{"\"${A:-}\" = 3", "1: column 1: " NO_NAME("a variable")},
		{"\"\\\n\" = 3", "2: syntax error: an option has no name"},
		{"include('')", "1: include(): the path is empty, or has an "
				"empty variable"},
		{"keys = \"a\\nb\"\n",
			"1: option keys: it has a control character"},
		{"keys = \"\\xff\"\n", "1: option keys: it is not valid UTF-8"},
		{"\nkeys = \"\\x00a\"\n", NUL_FAULT("2", "x")},
		{"keys = \"a\\0\"\n", NUL_FAULT("1", "0")},
		{"keys = \"a\\x0g\"\n", NUL_FAULT("1", "x")},
		{"listen = { \"\\0008\" }\n", NUL_FAULT("1", "0")},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[256];

		(void)snprintf(
			want, sizeof(want), "error: a.conf:%s\n", cases[i][1]);
		assert_told(*state, cases[i][0], want);
	}
}

static void tells_faults_of_included_files(void **state)
{
	struct fixture *f = *state;

	write_file(f, "b.conf", "levle = debug\nlevel = loud\n");
	write_file(f, "c.conf", "\nkeyz = c\n/* x\n");
	assert_told(f,
		"log {\n include(b.conf)\n leevl = a\n}\nworkers = x1\n"
		"include(c.conf)\ninclude(d.conf)\ninclude()\n"
		"include(\"a.conf\")\n",
		"error: a.conf:3: section log has no option \"leevl\"; did you "
		"mean \"level\"?\n"
		"error: a.conf:5: option workers: \"x1\" is no integer; write "
		"one like 65536, 0x10000 or 65_536\n"
		"error: a.conf:6: include(): c.conf:3: the comment is not "
		"closed\n"
		"error: a.conf:7: include(): cannot open d.conf: No such file "
		"or directory\n"
		"error: a.conf:8: include() takes the path of one file\n"
		"error: a.conf:9: include(): a.conf would include itself\n"
		"error: b.conf:1: section log has no option \"levle\"; did you "
		"mean \"level\"?\n"
		"error: b.conf:2: option level of section log: \"loud\" is "
		"none of error, notice, debug\n");
}

static void fails_again_and_again_alike(void **state)
{
	struct fixture *f = *state;

	/* libconfuse keeps state between files; its include() loses count. */
	write_file(f, "b.conf", "keys = {");
	write_file(f, "c.conf", "keys keys keys");
	for (int i = 0; i < 20; i++) {
		assert_told(f, "include(b.conf)\ninclude(c.conf)",
			"error: a.conf:1: include(): b.conf:1: the brace { is "
			"not closed\n"
			"error: c.conf:1: syntax error: missing equal sign "
			"after option 'keys'\n");
		(void)load_good(f, "keys = fine");
	}
}

static void tells_files_that_are_none(void **state)
{
	static const char nul[] = "keys = a\nke\0ys = b\n";
	struct fixture *f = *state;
	char path[128];

	path_of(f, "nosuch", path);
	assert_null(load_path(f, path));
	assert_string_equal(f->told,
		"error: cannot open nosuch: No such file or directory\n");
	path_of(f, "", path);
	assert_null(load_path(f, path));
	assert_string_equal(f->told, "error:  is a directory, not a file\n");
	write_bytes(f, "a.conf", nul, sizeof(nul) - 1);
	assert_null(load_path(f, f->file));
	assert_string_equal(f->told,
		"error: a.conf:2: there is a NUL byte: this is no text "
		"file\n");
	write_file(f, "a.conf", "\nkeys = \"\033[1m\"\n");
	assert_null(load_path(f, f->file));
	assert_string_equal(f->told, "error: a.conf:2: the byte 0x1b does not "
				     "belong in a text file\n");
	assert_non_null(load_path(f, "/dev/null"));
}

static void refuses_huge_files(void **state)
{
	struct fixture *f = *state;
	size_t len = 1024 * 1024;
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, '\n', len + 1);
	write_bytes(f, "a.conf", text, len);
	assert_non_null(load_path(f, f->file));
	write_bytes(f, "a.conf", text, len + 1);
	free(text);
	assert_null(load_path(f, f->file));
	assert_string_equal(f->told,
		"error: a.conf is too large: at most 1048576 bytes are read\n");
}

static void ends_the_list_of_problems(void **state)
{
	struct fixture *f = *state;
	char text[4096] = "";
	size_t lines = 0;

	for (int i = 0; i < 150; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"no%d = 1\n", i);
	assert_null(load(f, text));
	for (const char *c = f->told; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 101);
	assert_non_null(strstr(f->told, "error: there are more problems\n"));
}

static void guesses_misspelled_modules(void **state)
{
	assert_told(*state, "\nmodules = { relay, stauts, other }\n",
		"warning: a.conf:2: modules names \"stauts\"; did you mean "
		"\"status\"?\n");
}

static void refuses_tables_that_clash(void **state)
{
	static const struct relay_option taken[] = {
		RELAY_OPT(struct relay_conf, strict, bool, "required",
			RELAY_BOOL, "no", 0, 0, ""),
		RELAY_OPT_END,
	};
	static const struct config_module mods[] = {
		{.name = "bad",
			.options = taken,
			.conf_size = sizeof(struct relay_conf)},
		{.name = "keys"},
	};
	struct fixture *f = *state;

	assert_null(config_load(NULL, NULL, mods, 2, tell, f));
	assert_string_equal(f->told,
		"error: module bad: its option \"required\" has a name that "
		"the "
		"server uses in all sections\n"
		"error: a module cannot have the name \"keys\": it is an "
		"option\n");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_line_and_range_of_bad_values),
		TEST(tells_all_unknown_words_in_order),
		TEST(tells_where_an_option_belongs),
		TEST(tells_words_that_want_quotes),
		TEST(tells_syntax_errors),
		TEST(tells_faults_of_included_files),
		TEST(fails_again_and_again_alike),
		TEST(tells_files_that_are_none),
		TEST(refuses_huge_files),
		TEST(ends_the_list_of_problems),
		TEST(guesses_misspelled_modules),
		TEST(refuses_tables_that_clash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
