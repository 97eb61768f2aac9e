/* SPDX-License-Identifier: MPL-2.0 */

/*
 * strelaysrv-container PROGRAM [ARGUMENT...]: the entry of the container image.
 * Takes the user, the mask of new files and the capabilities from the
 * environment, as the image of the Go strelaysrv does, and runs the program.
 *
 * strelaysrv-container -health: runs the program of process 1 with its
 * arguments and -health, so that it asks the address that those name.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capabilities.h"
#include "supervise.h"

#define NAME         "strelaysrv-container"
#define DEFAULT_ID   1000
#define COMMAND_MOST (1U << 20)
#define WORDS_MOST   4096

static int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int fail(const char *fmt, ...)
{
	va_list ap;

	(void)fputs(NAME ": ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return -1;
}

/* An empty variable counts as one that is not set. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int read_id(const char *name, unsigned *out)
{
	const char *text = variable(name);
	unsigned long long number;
	char *end;

	*out = DEFAULT_ID;
	if (!text)
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	/* UINT32_MAX means "do not change". */
	if (errno || *end || text[0] < '0' || text[0] > '9' ||
		number >= UINT32_MAX)
		return fail("%s is \"%s\"; write the number of a %s", name,
			text, name[1] == 'U' ? "user" : "group");
	*out = (unsigned)number;
	return 0;
}

static int set_umask(void)
{
	const char *text = variable("UMASK");

	if (!text)
		return 0;
	if (strlen(text) > 4 || text[strspn(text, "01234567")] ||
		strtoul(text, NULL, 8) > 0777)
		return fail("UMASK is \"%s\"; write an octal number, such as "
			    "027",
			text);
	(void)umask((mode_t)strtoul(text, NULL, 8));
	return 0;
}

static int read_capabilities(uint64_t permitted, uint64_t *wanted)
{
	const char *text = variable("PCAP");

	*wanted = 0;
	if (!text)
		return 0;
	if (capabilities_parse(text, wanted) != 0)
		return fail("PCAP is \"%s\"; write names of capabilities, such "
			    "as cap_net_bind_service=+ep",
			text);
	for (int i = 0; i < 64; i++)
		if (*wanted & ~permitted & UINT64_C(1) << i)
			return fail("the container has not got cap_%s, which "
				    "PCAP names: add it with --cap-add",
				capabilities_name(i));
	return 0;
}

/* The files in it may belong to anybody: only whoever has put them there can
 * tell. */
static void own_home(unsigned uid, unsigned gid)
{
	const char *home = variable("HOME");

	if (home && chown(home, uid, gid) != 0)
		(void)fail("cannot give %s to user %u: %s; if that user can "
			   "write there, this does not matter",
			home, uid, strerror(errno));
}

static int become(unsigned uid, unsigned gid, uint64_t wanted)
{
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0)
		return fail("cannot become group %u: %s; --user %u:%u needs no "
			    "such right",
			gid, strerror(errno), uid, gid);
	if ((wanted && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) ||
		setresuid(uid, uid, uid) != 0)
		return fail("cannot become user %u: %s; --user %u:%u needs no "
			    "such right",
			uid, strerror(errno), uid, gid);
	return 0;
}

/* Root without any capability can do no more than another user, and cannot
 * become one: then it stays. */
static int take_rights(void)
{
	uint64_t permitted, wanted;
	unsigned uid, gid;

	if (capabilities_permitted(&permitted) != 0)
		return fail("cannot read capabilities: %s", strerror(errno));
	if (geteuid() != 0) {
		if (variable("PCAP"))
			(void)fail("PCAP has no effect, since the container "
				   "was not started by root");
		return 0;
	}
	if (read_id("PUID", &uid) != 0 || read_id("PGID", &gid) != 0 ||
		read_capabilities(permitted, &wanted) != 0)
		return -1;
	if (permitted == 0) {
		(void)fail("there are no capabilities, so PUID and PGID have "
			   "no effect; --user %u:%u does the same",
			uid, gid);
		return 0;
	}
	own_home(uid, gid);
	if (become(uid, gid, wanted) != 0)
		return -1;
	/* A root that starts a program has them all again. */
	if (uid != 0 && capabilities_keep(wanted) != 0)
		return fail("cannot pass capabilities on: %s", strerror(errno));
	return 0;
}

/* -health */

/* The command line of process 1, NUL-terminated words.  Its length, or -1. */
static ssize_t read_command(char *out, size_t cap)
{
	int fd = open("/proc/1/cmdline", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	while (len < cap && (n = read(fd, out + len, cap - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	return n == 0 ? (ssize_t)len : -1;
}

/* What follows this program's name: another init may be process 1, and have
 * words of its own.  Returns how many words of `words` are used. */
static size_t split(char *command, size_t len, const char *words[WORDS_MOST])
{
	size_t count = 0, found = 0;

	for (char *at = command; at < command + len; at += strlen(at) + 1) {
		const char *slash = strrchr(at, '/');

		if (found && count < WORDS_MOST)
			words[count++] = at;
		if (!found && strcmp(slash ? slash + 1 : at, NAME) == 0)
			found = 1;
	}
	return count;
}

static int ask_health(void)
{
	static char command[COMMAND_MOST + 1];
	static const char *words[WORDS_MOST + 2];
	ssize_t len = read_command(command, COMMAND_MOST);
	size_t count = len > 0 ? split(command, (size_t)len, words) : 0;

	if (count == 0) {
		(void)fail("process 1 is not " NAME
			   ": ask with strelaysrv -health and its flags");
		return EXIT_FAILURE;
	}
	/* Not at the end, where it might be the value of a flag. */
	memmove(words + 2, words + 1, (count - 1) * sizeof(*words));
	words[1] = "-health";
	words[count + 1] = NULL;
	(void)execv(words[0], (char *const *)(uintptr_t)words);
	(void)fail("cannot run %s: %s", words[0], strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "-health") == 0)
		return ask_health();
	if (argc < 2 || argv[1][0] == '-') {
		(void)fail("write " NAME " PROGRAM [ARGUMENT...]");
		return 2;
	}
	if (set_umask() != 0 || take_rights() != 0)
		return EXIT_FAILURE;
	return supervise(argv + 1);
}
