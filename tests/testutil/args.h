/* SPDX-License-Identifier: MPL-2.0 */

/*
 * args.h - the command line of testutil, in the syntax of Go's flag package.
 */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct args {
	const char *relay; /* all strings are borrowed from argv, or static */
	const char *keys;
	const char *connect;    /* NULL: not given, as of the next */
	const char *make_token; /* a name */
	const char *token;
	const char *token_file;
	bool join, test, gen_keys, json, debug, help;
	int64_t timeout_ms, network_timeout_ms, linger_ms;
	int64_t sessions;
};

/*
 * Reads the command line, which must have exactly one of -join, -connect,
 * -test, -gen-keys and -make-token, or -help.  Returns 0, or -1 with the error
 * on err.
 */
int args_parse(int argc, char *const argv[], struct args *out, FILE *err);

/* Prints every flag with its meaning and default. */
void args_usage(FILE *out);

#endif
