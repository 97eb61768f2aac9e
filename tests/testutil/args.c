/* SPDX-License-Identifier: MPL-2.0 */

/* The command line of testutil, in the syntax of Go's flag package. */

#include <stddef.h>
#include <string.h>

#include <strelaysrv/err.h>
#include <strelaysrv/units.h>

#include "args.h"

#define NS_PER_MS 1000000

enum kind { TEXT, SWITCH, DURATION, COUNT };

static const struct flag {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *value; /* its name in the usage text */
	const char *help;
} flags[] = {
	{"join", SWITCH, offsetof(struct args, join), "",
		"join the relay, and connect each session in turn to stdin "
		"and stdout"},
	{"connect", TEXT, offsetof(struct args, connect), " DEVICE-ID",
		"ask the relay for a device, and connect the session to stdin "
		"and stdout"},
	{"test", SWITCH, offsetof(struct args, test), "",
		"join, connect to oneself, and measure; ends in OK or FAIL"},
	{"gen-keys", SWITCH, offsetof(struct args, gen_keys), "",
		"make cert.pem and key.pem where there are none; the device ID "
		"goes to stdout"},
	{"make-token", TEXT, offsetof(struct args, make_token), " NAME",
		"make a token, and the line of it for the file named-tokens of "
		"a relay; both go to stdout"},
	{"relay", TEXT, offsetof(struct args, relay), " URI",
		"relay://, dynamic+http:// or dynamic+https:// (default "
		"relay://127.0.0.1:22067)"},
	{"keys", TEXT, offsetof(struct args, keys), " DIR",
		"where cert.pem and key.pem are (default .)"},
	{"token", TEXT, offsetof(struct args, token), " TOKEN",
		"for joining, if a relay:// URI has none; other users of the "
		"machine can see it"},
	{"token-file", TEXT, offsetof(struct args, token_file), " FILE",
		"a file whose first line is the token"},
	{"sessions", COUNT, offsetof(struct args, sessions), " N",
		"with -join: end after so many sessions (default 0: never)"},
	{"linger", DURATION, offsetof(struct args, linger_ms), " DURATION",
		"with -sessions: stay joined so long after the last one, since "
		"relays drop what is on its way when a device leaves (default "
		"5s)"},
	{"timeout", DURATION, offsetof(struct args, timeout_ms), " DURATION",
		"for a TCP connection, and for an answer (default 10s)"},
	{"network-timeout", DURATION, offsetof(struct args, network_timeout_ms),
		" DURATION",
		"how long a joined relay may be silent; in a session, how long "
		"its machine may be gone (default 2m0s)"},
	{"json", SWITCH, offsetof(struct args, json), "",
		"with -test: the report as one JSON object"},
	{"debug", SWITCH, offsetof(struct args, debug), "",
		"tell every step on stderr"},
	{"help", SWITCH, offsetof(struct args, help), "", "this text"},
};

static const struct flag *find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strlen(flags[i].name) == len &&
			memcmp(flags[i].name, name, len) == 0)
			return &flags[i];
	}
	/* Go also accepts -h. */
	if (len == 1 && *name == 'h')
		return find("help", 4);
	return NULL;
}

static int read_duration(const char *text, int64_t *ms, struct relay_err *err)
{
	int64_t ns;

	if (relay_duration_parse(text, &ns, err))
		return -1;
	if (ns < NS_PER_MS)
		return relay_fail(err, "it must be 1ms or more");
	*ms = ns / NS_PER_MS;
	return 0;
}

static int store(struct args *out, const struct flag *flag, const char *text,
	struct relay_err *err)
{
	void *at = (char *)out + flag->offset;
	int64_t n;

	switch (flag->kind) {
	case TEXT:
		*(const char **)at = text;
		return 0;
	case SWITCH:
		return relay_bool_parse(text, at, err);
	case DURATION:
		return read_duration(text, at, err);
	case COUNT:
		if (relay_int_parse(text, &n, err))
			return -1;
		if (n < 0)
			return relay_fail(err, "it must be 0 or more");
		*(int64_t *)at = n;
		return 0;
	}
	return -1;
}

/*
 * Reads -x v, -x=v, --x v, --x=v, and -x alone for booleans.  Returns the
 * number of arguments used, or -1.
 */
static int parse_one(char *const argv[], struct args *out, FILE *err)
{
	const char *name = argv[0] + 1, *equals, *text;
	const struct flag *flag;
	struct relay_err why;
	int used = 1;

	if (*name == '-')
		name++;
	equals = strchr(name, '=');
	flag = find(name, equals ? (size_t)(equals - name) : strlen(name));
	if (!flag) {
		(void)fprintf(
			err, "flag provided but not defined: %s\n", argv[0]);
		return -1;
	}
	text = equals ? equals + 1 : "true";
	if (!equals && flag->kind != SWITCH) {
		text = argv[1];
		used = 2;
	}
	if (!text) {
		(void)fprintf(err, "flag needs an argument: -%s\n", flag->name);
		return -1;
	}
	if (store(out, flag, text, &why) == 0)
		return used;
	(void)fprintf(err, "invalid value \"%s\" for flag -%s: %s\n", text,
		flag->name, why.text);
	return -1;
}

static int check(const struct args *args, FILE *err)
{
	const char *wrong = NULL;
	int modes = args->join + args->test + args->gen_keys +
		    (args->connect != NULL) + (args->make_token != NULL);

	if (modes != 1)
		wrong = "exactly one of -join, -connect, -test, -gen-keys and "
			"-make-token must be given";
	else if (args->json && !args->test)
		wrong = "-json goes with -test";
	else if (args->sessions && !args->join)
		wrong = "-sessions goes with -join";
	else if (*args->token && *args->token_file)
		wrong = "-token and -token-file exclude each other";
	if (!wrong)
		return 0;
	(void)fprintf(err, "%s\n", wrong);
	return -1;
}

int args_parse(int argc, char *const argv[], struct args *out, FILE *err)
{
	*out = (struct args){.relay = "relay://127.0.0.1:22067",
		.keys = ".",
		.token = "",
		.token_file = "",
		.timeout_ms = 10000,
		.network_timeout_ms = 120000,
		.linger_ms = 5000};
	for (int i = 1; i < argc;) {
		int used;

		if (argv[i][0] != '-' || !argv[i][1]) {
			(void)fprintf(
				err, "unexpected argument: \"%s\"\n", argv[i]);
			return -1;
		}
		used = parse_one(argv + i, out, err);
		if (used < 0)
			return -1;
		i += used;
	}
	return out->help ? 0 : check(out, err);
}

void args_usage(FILE *out)
{
	(void)fprintf(out, "Usage: strelaysrv-testutil -relay URI -keys DIR "
			   "{-join | -connect DEVICE-ID | -test | -gen-keys | "
			   "-make-token NAME}\n");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		(void)fprintf(out, "  -%s%s\n    \t%s\n", flags[i].name,
			flags[i].value, flags[i].help);
	(void)fprintf(
		out, "Exit codes: 0 done, 1 failed, 2 wrong command line.\n");
}
