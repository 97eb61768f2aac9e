/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the configuration: files, precedence, and what is told of faults. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/address.h"
#include "config/config.h"
#include "config/flags.h"
#include "sample_options.h"

struct fixture {
	char dir[32];
	char file[64];   /* in dir */
	char told[8192]; /* "LEVEL: TEXT\n" of each report, without dir */
	struct config *config;
	struct flags flags;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/config.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->file, sizeof(f->file), "%s/a.conf", f->dir);
	*state = f;
	return 0;
}

static void path_of(const struct fixture *f, const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", f->dir, name);
}

static int teardown(void **state)
{
	static const char *const names[] = {"a.conf", "b.conf", "c.conf"};
	struct fixture *f = *state;
	char path[128];

	config_free(f->config);
	flags_free(&f->flags);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(f, names[i], path);
		(void)unlink(path);
	}
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static void write_bytes(const struct fixture *f, const char *name,
	const void *bytes, size_t len)
{
	char path[128];
	FILE *file;

	path_of(f, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void write_file(
	const struct fixture *f, const char *name, const char *text)
{
	write_bytes(f, name, text, strlen(text));
}

/* The directory's name differs in each run: it is left out. */
static void tell(enum relay_level level, const char *text, void *arg)
{
	struct fixture *f = arg;
	size_t len = strlen(f->told), dir = strlen(f->dir);
	char plain[1024] = "";
	const char *at;

	while ((at = strstr(text, f->dir))) {
		(void)snprintf(plain + strlen(plain),
			sizeof(plain) - strlen(plain), "%.*s", (int)(at - text),
			text);
		text = at + dir + 1;
	}
	(void)snprintf(f->told + len, sizeof(f->told) - len, "%s: %s%s\n",
		level == RELAY_ERROR ? "error" : "warning", plain, text);
}

static const struct config *load_path(struct fixture *f, const char *path)
{
	config_free(f->config);
	f->told[0] = '\0';
	f->config = config_load(
		path, &f->flags, sample_modules, SAMPLE_MODULES, tell, f);
	return f->config;
}

static const struct config *load(struct fixture *f, const char *text)
{
	write_file(f, "a.conf", text);
	return load_path(f, f->file);
}

/* Nothing may be told. */
static const struct config *load_good(struct fixture *f, const char *text)
{
	const struct config *config = load(f, text);

	assert_string_equal(f->told, "");
	assert_non_null(config);
	return config;
}

static void assert_told(struct fixture *f, const char *text, const char *want)
{
	const struct config *config = load(f, text);

	assert_string_equal(f->told, want);
	assert_int_equal(!config, strstr(want, "error: ") != NULL);
}

static void set_flags(struct fixture *f, char *const *args)
{
	char name[] = "strelaysrv";
	char *argv[10] = {name};
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = args[argc - 1];
	flags_free(&f->flags);
	assert_int_equal(flags_parse(argc, argv, sample_modules, SAMPLE_MODULES,
				 "x", &f->flags, stderr),
		0);
}

#define FLAGS(f, ...) set_flags(f, (char *[]){__VA_ARGS__, NULL})

static const struct relay_conf *relay_of(const struct config *config)
{
	return config_module_values(config, "relay");
}

static const struct log_conf *log_of(const struct config *config)
{
	return config_module_values(config, "log");
}

static const char *origin(
	struct fixture *f, const char *section, const char *name)
{
	static char text[128];
	struct relay_value value;
	const char *at;

	assert_int_equal(config_get(f->config, section, name, &value), 0);
	at = strstr(value.origin, f->dir);
	(void)snprintf(text, sizeof(text), "%s",
		at ? at + strlen(f->dir) + 1 : value.origin);
	return text;
}

static void has_defaults_without_a_file(void **state)
{
	struct fixture *f = *state;
	const struct config *config = load_path(f, NULL);
	const struct core_conf *core;

	assert_string_equal(f->told, "");
	assert_non_null(config);
	core = config_core(config);
	assert_string_equal(core->listen[0], ":22067");
	assert_int_equal(core->network_buffer, 65536);
	assert_int_equal(relay_of(config)->ping_interval, 60000);
	assert_string_equal(origin(f, "relay", "token"), "default");
	assert_true(config_module_required(config, "relay"));
	assert_null(config_module_values(config, "nosuch"));
	assert_non_null(config_module_values(config, "status"));
}

static void has_defaults_with_an_empty_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config_core(load_good(f, ""))->network_buffer, 65536);
	assert_int_equal(config_core(load_good(f, "\n# nothing"))->workers, 0);
}

static void reads_all_types(void **state)
{
	struct fixture *f = *state;
	const struct config *config = load_good(f,
		"listen = { \":1\", '[::]:2' }\n"
		"protocol = tcp6\n"
		"keys = /var/lib/strelaysrv\n"
		"network-buffer = 128KiB\n"
		"workers = 0x4\n"
		"debug = yes\n"
		"relay { ping-interval = 30s provided-by = \"me & you\" }\n");
	const struct core_conf *core = config_core(config);

	assert_string_equal(core->listen[0], ":1");
	assert_string_equal(core->listen[1], "[::]:2");
	assert_null(core->listen[2]);
	assert_int_equal(core->protocol, CORE_TCP6);
	assert_string_equal(core->keys, "/var/lib/strelaysrv");
	assert_int_equal(core->network_buffer, 131072);
	assert_int_equal(core->workers, 4);
	assert_true(core->debug);
	assert_int_equal(relay_of(config)->ping_interval, 30000);
	assert_string_equal(relay_of(config)->provided_by, "me & you");
	assert_string_equal(origin(f, NULL, "debug"), "a.conf:6");
	assert_string_equal(origin(f, "relay", "ping-interval"), "a.conf:7");
}

static void prefers_flag_to_file_to_default(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	FLAGS(f, "-ping-interval=5s", "-debug",
		"-status-srv=", "-listen=:3,:4");
	config = load_good(f,
		"debug = no\nstatus-srv = \":1\"\nworkers = 3\n"
		"relay { ping-interval = 7s message-timeout = 8s }\n");
	assert_int_equal(relay_of(config)->ping_interval, 5000);
	assert_int_equal(relay_of(config)->message_timeout, 8000);
	assert_true(config_core(config)->debug);
	assert_string_equal(config_core(config)->status_srv, "");
	assert_string_equal(config_core(config)->listen[1], ":4");
	assert_int_equal(config_core(config)->workers, 3);
	assert_string_equal(
		origin(f, "relay", "ping-interval"), "flag -ping-interval");
	assert_string_equal(origin(f, "relay", "message-timeout"), "a.conf:4");
	assert_string_equal(origin(f, "relay", "strict"), "default");
}

static void checks_the_file_below_a_flag(void **state)
{
	struct fixture *f = *state;

	FLAGS(f, "-workers=3");
	assert_told(f, "workers = many",
		"error: a.conf:1: option workers: \"many\" is no integer; "
		"write one like 65536, 0x10000 or 65_536\n");
}

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
	assert_told(f, "relay {\n keys = .\n}\n",
		"error: a.conf:2: section relay has no option \"keys\"; it "
		"belongs to the top level, outside of sections\n");
	assert_told(f, "relay { log { } }\n",
		"error: a.conf:1: section relay has no sections in it, but "
		"here is \"log\"\n");
	assert_told(f, "inclode(\"x\")\n",
		"error: a.conf:1: there is no function \"inclode\"; did you "
		"mean \"include\"?\n");
}

static void refuses_variables_that_are_not_set(void **state)
{
	static const char *const wrong[][2] = {
		{"keys = \"/a\"\nrelay { token = \"${NOT_SET_HERE}\" }\n",
			"2: column 18: the environment variable in "
			"${NOT_SET_HERE} is not set; ${NAME:-DEFAULT} gives a "
			"default, and single quotes keep a $ as it is"},
		{"keys = ${NOT_SET_HERE}\n",
			"1: column 8: the environment variable in "
			"${NOT_SET_HERE} is not set; ${NAME:-DEFAULT} gives a "
			"default, and single quotes keep a $ as it is"},
		{"keys = \"a${\"\n",
			"1: column 10: the variable ${ is not closed"},
	};
	struct fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(load(f, wrong[i][0]));
		(void)snprintf(
			text, sizeof(text), "error: a.conf:%s\n", wrong[i][1]);
		assert_string_equal(f->told, text);
	}
}

static void takes_variables_and_dollars(void **state)
{
	static const char *const good[][2] = {
		{"keys = \"${SET_HERE}/b\"\n", "/a/b"},
		{"keys = ${SET_HERE}\n", "/a"},
		{"keys = \"${NOT_SET_HERE:-/c}\"\n", "/c"},
		{"keys = '${NOT_SET_HERE}'\n", "${NOT_SET_HERE}"},
		{"keys = \"\\${NOT_SET_HERE}\"\n", "${NOT_SET_HERE}"},
		{"# ${NOT_SET_HERE}\nkeys = \"a$b\"\n", "a$b"},
	};
	struct fixture *f = *state;

	assert_int_equal(setenv("SET_HERE", "/a", 1), 0);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_string_equal(config_core(load_good(f, good[i][0]))->keys,
			good[i][1]);
	assert_int_equal(unsetenv("SET_HERE"), 0);
}

static void tells_words_that_want_quotes(void **state)
{
	struct fixture *f = *state;

	assert_told(f, "relay {\n provided-by = My Relay\n}\n",
		"error: a.conf:2: \"Relay\" stands where an option should "
		"begin; text with spaces must be quoted\n");
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
			"2: between ( and ) stands the path of one file"},
		{"include(\"b\"", "1: between ( and ) stands the path of one "
				  "file"},
		{"keys = \"\\9\"", "1: syntax error: bad escape sequence "
				   "'\\9'"},
		{"keys = \"a\\nb\"\n",
			"1: option keys: it has a control character"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[256];

		(void)snprintf(
			want, sizeof(want), "error: a.conf:%s\n", cases[i][1]);
		assert_told(*state, cases[i][0], want);
	}
}

static void counts_lines_through_comments(void **state)
{
	struct fixture *f = *state;

	assert_told(f,
		"/* one\n two */ /**/ # x\n// y\n//z\n"
		"listen = { \":1\", # first\n"
		"  \":2\" /* last */ }\n"
		"workers = -1 # \"\n",
		"error: a.conf:7: option workers: -1 is out of range; 0 to 256 "
		"is allowed\n");
	(void)load_good(f, "keys = /a//b # c\nstatus-srv = \"#{/*\"\r\n");
	assert_string_equal(config_core(f->config)->keys, "/a//b");
	assert_string_equal(config_core(f->config)->status_srv, "#{/*");
}

static void takes_lists_in_all_forms(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	config = load_good(f, "log { targets = one }");
	assert_string_equal(log_of(config)->targets[0], "one");
	assert_null(log_of(config)->targets[1]);
	config = load_good(f, "log { targets += { b, c } }");
	assert_string_equal(log_of(config)->targets[0], "stderr");
	assert_string_equal(log_of(config)->targets[2], "c");
	assert_null(log_of(config)->targets[3]);
	config = load_good(f, "modules += nat\nlog { targets = {a}\n"
			      "targets += {b}\n}");
	assert_string_equal(config_core(config)->modules[6], "status");
	assert_string_equal(config_core(config)->modules[7], "nat");
	assert_string_equal(log_of(config)->targets[1], "b");
	config = load_good(f, "# none\nlog {\n targets = {}\n}");
	assert_null(log_of(config)->targets[0]);
	assert_string_equal(origin(f, "log", "targets"), "a.conf:3");
	config = load_good(f, "log { targets = \"\" }");
	assert_null(log_of(config)->targets[0]);
	config = load_good(f, "\n\nmodules = { }\n");
	assert_null(config_core(config)->modules[0]);
	assert_string_equal(origin(f, NULL, "modules"), "a.conf:3");
}

static void judges_complete_lists(void **state)
{
	struct fixture *f = *state;

	assert_told(f, "log {\n targets = { a, b,\n c, d }\n}\n",
		"error: a.conf:2: option targets of section log: 4 items are "
		"too many; at most 3 are allowed\n");
	assert_told(f, "\nlisten = {}\n",
		"error: a.conf:2: option listen: it must not be empty\n");
}

static void warns_of_options_given_twice(void **state)
{
	struct fixture *f = *state;

	assert_told(f,
		"keys = a\nlog { level = debug }\nkeys = b\n"
		"log { level = error }\nlisten = \":1\"\nlisten = \":2\"\n",
		"warning: a.conf:3: option keys was set before, in a.conf:1; "
		"this one counts\n"
		"warning: a.conf:4: option level of section log was set "
		"before, in a.conf:2; this one counts\n"
		"warning: a.conf:6: option listen was set before, in a.conf:5; "
		"this one counts\n");
	assert_string_equal(config_core(f->config)->keys, "b");
	assert_int_equal(log_of(f->config)->level, 0);
	assert_string_equal(config_core(f->config)->listen[0], ":2");
}

static void knows_required(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	config = load_good(
		f, "status { required = no }\nrelay { required = yes }\n");
	assert_false(config_module_required(config, "status"));
	assert_true(config_module_required(config, "relay"));
	assert_true(config_module_required(config, "log"));
	assert_told(f, "status { required = perhaps }",
		"error: a.conf:1: option required of section status: "
		"\"perhaps\" is neither true nor false; write one of true, "
		"false, yes, no, on, off, 1, 0\n");
	assert_told(f, "required = no",
		"error: a.conf:1: there is no option \"required\"\n");
}

static void includes_files(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	write_file(f, "b.conf", "level = debug\n");
	write_file(f, "c.conf", "\nkeys = c\nlog {\n include(b.conf)\n}\n");
	config = load_good(f, "include(\"c.conf\")\nworkers = 2\n");
	assert_string_equal(config_core(config)->keys, "c");
	assert_int_equal(config_core(config)->workers, 2);
	assert_int_equal(log_of(config)->level, 2);
	assert_string_equal(origin(f, NULL, "keys"), "c.conf:2");
	assert_string_equal(origin(f, "log", "level"), "b.conf:1");
	assert_string_equal(origin(f, NULL, "workers"), "a.conf:2");
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
	assert_string_equal(f->told,
		"error: a.conf:2: the byte 0x1b is no part of any text\n");
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

static void warns_of_flags_without_effect(void **state)
{
	struct fixture *f = *state;

	FLAGS(f, "-nat", "-nat-lease=30", "-log.level=debug");
	assert_told(f, "modules = { relay, status }\n",
		"warning: -log.level has no effect: the module log does not "
		"run; add log to `modules` (a.conf:1)\n"
		"warning: -nat, -nat-lease have no effect: the module nat does "
		"not run; add nat to `modules` (a.conf:1)\n");
	FLAGS(f, "-nat=false");
	(void)load_good(f, "");
}

static void warns_of_sections_without_effect(void **state)
{
	struct fixture *f = *state;

	assert_told(f, "modules = { relay }\nlog { level = debug }\n",
		"warning: a.conf:2: section log has no effect: the module log "
		"does not run; add log to `modules` (a.conf:1)\n");
	assert_told(f, "modules = { relay }\nnat { enable = no }\n", "");
}

static void refuses_guards_without_effect(void **state)
{
	struct fixture *f = *state;

	assert_null(load(f, "modules = { log }\nrelay { token = \"s\" }\n"));
	assert_string_equal(f->told,
		"error: a.conf:2: relay.token is to protect the relay, but the "
		"module relay does not run; add relay to `modules` (a.conf:1), "
		"or leave the option out\n");
	assert_told(f, "modules = { log }\nrelay { token = \"\" }\n", "");
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
		"error: module bad: its table has an option \"required\", "
		"which is taken\n"
		"error: a module cannot have the name \"keys\": it is an "
		"option\n");
}

static void takes_sections_of_unknown_tables_as_they_are(void **state)
{
	static const struct config_module mods[] = {
		{.name = "broken", .opaque = true},
	};
	struct fixture *f = *state;

	write_file(f, "a.conf",
		"broken {\n a = 1 b = { 2, 3 }\n c { d = 4 }\n"
		" required = no\n}\nkeys = k\n");
	f->config = config_load(f->file, NULL, mods, 1, tell, f);
	assert_string_equal(f->told, "");
	assert_non_null(f->config);
	assert_false(config_module_required(f->config, "broken"));
	assert_string_equal(config_core(f->config)->keys, "k");
}

static void count_visit(
	const char *section, const struct relay_value *value, void *arg)
{
	size_t *count = arg;

	if (*count == 0)
		assert_null(section);
	assert_non_null(value->origin);
	(*count)++;
}

static void visits_every_option(void **state)
{
	struct fixture *f = *state;
	struct relay_value value;
	size_t count = 0, own = 0;

	while (core_options[own].name)
		own++;
	config_visit(load_good(f, "protocol = tcp4"), count_visit, &count);
	assert_int_equal(count, own + 5 + 2 + 2);
	assert_int_equal(config_get(f->config, NULL, "protocol", &value), 0);
	assert_string_equal(value.string, "tcp4");
	assert_int_equal(value.number, CORE_TCP4);
	assert_int_equal(config_get(f->config, "relay", "keys", &value), -1);
	assert_int_equal(config_get(f->config, "nosuch", "x", &value), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(has_defaults_without_a_file),
		TEST(has_defaults_with_an_empty_file),
		TEST(reads_all_types),
		TEST(prefers_flag_to_file_to_default),
		TEST(checks_the_file_below_a_flag),
		TEST(tells_line_and_range_of_bad_values),
		TEST(tells_all_unknown_words_in_order),
		TEST(tells_where_an_option_belongs),
		TEST(refuses_variables_that_are_not_set),
		TEST(takes_variables_and_dollars),
		TEST(tells_words_that_want_quotes),
		TEST(tells_syntax_errors),
		TEST(counts_lines_through_comments),
		TEST(takes_lists_in_all_forms),
		TEST(judges_complete_lists),
		TEST(warns_of_options_given_twice),
		TEST(knows_required),
		TEST(includes_files),
		TEST(tells_faults_of_included_files),
		TEST(fails_again_and_again_alike),
		TEST(tells_files_that_are_none),
		TEST(refuses_huge_files),
		TEST(ends_the_list_of_problems),
		TEST(warns_of_flags_without_effect),
		TEST(warns_of_sections_without_effect),
		TEST(refuses_guards_without_effect),
		TEST(guesses_misspelled_modules),
		TEST(refuses_tables_that_clash),
		TEST(takes_sections_of_unknown_tables_as_they_are),
		TEST(visits_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
