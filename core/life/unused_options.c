/* SPDX-License-Identifier: MPL-2.0 */

/* Compares the variables of service files with the arguments. */

#include <stdbool.h>
#include <string.h>

#include "life/unused_options.h"

#define BLANKS " \t\r\n"
#define QUOTES "'\"\\"

static const char *const variables[] = {
	"STRELAYSRV_OPTS", /* Debian */
	"RELAYSRV_OPTS",   /* packages of the Syncthing project */
	"STRELAYSRV",      /* older ones of these */
	"SR_OPTS",         /* Gentoo */
};

/* A part of a text without blanks. */
struct piece {
	const char *at;
	size_t len;
};

/* The next piece of *text, which moves behind it.  False: there is none. */
static bool next_piece(const char **text, struct piece *piece)
{
	piece->at = *text + strspn(*text, BLANKS);
	piece->len = strcspn(piece->at, BLANKS);
	*text = piece->at + piece->len;
	return piece->len > 0;
}

static size_t skip_quotes(const struct piece *piece, size_t i)
{
	while (i < piece->len && strchr(QUOTES, piece->at[i]))
		i++;
	return i;
}

/* Quotes do not count: systemd removes them, and some scripts do not. */
static bool same(const struct piece *a, const struct piece *b)
{
	size_t i = skip_quotes(a, 0), k = skip_quotes(b, 0);

	while (i < a->len && k < b->len && a->at[i] == b->at[k]) {
		i = skip_quotes(a, i + 1);
		k = skip_quotes(b, k + 1);
	}
	return i == a->len && k == b->len;
}

static bool is_passed(const struct piece *piece, int argc, char *const argv[])
{
	if (skip_quotes(piece, 0) == piece->len)
		return true;
	for (int i = 1; i < argc; i++) {
		const char *text = argv[i];
		struct piece other;

		while (next_piece(&text, &other))
			if (same(piece, &other))
				return true;
	}
	return false;
}

/* Other programs may use these names for something that is no option. */
static bool has_options(const char *text)
{
	struct piece piece;

	while (next_piece(&text, &piece)) {
		size_t i = skip_quotes(&piece, 0);

		if (i < piece.len && piece.at[i] == '-')
			return true;
	}
	return false;
}

/* Names no option, since any word of the variable may be a part of a secret. */
static int check(const char *variable, const char *text, int argc,
	char *const argv[], FILE *err)
{
	struct piece piece;

	if (!has_options(text))
		return 0;
	while (next_piece(&text, &piece)) {
		if (is_passed(&piece, argc, argv))
			continue;
		(void)fprintf(err,
			"%s in the environment has options that are not on the "
			"command line: the service file reads this variable, "
			"but does not pass it on; add $%s to its command, or "
			"remove the options\n",
			variable, variable);
		return -1;
	}
	return 0;
}

int unused_options_check(
	int argc, char *const argv[], char *(*get)(const char *name), FILE *err)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *text = get(variables[i]);

		if (text && check(variables[i], text, argc, argv, err) != 0)
			return -1;
	}
	return 0;
}
