/* SPDX-License-Identifier: MPL-2.0 */

/* The report of a fatal signal.  It uses only what is safe in a signal handler.
 */

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#include "loop/crash.h"
#include "loop/loop.h"

#define STACK_LEN 65536

static const struct {
	int number;
	const char *name;
} signals[] = {
	{SIGSEGV, "SIGSEGV"},
	{SIGBUS, "SIGBUS"},
	{SIGABRT, "SIGABRT"},
	{SIGFPE, "SIGFPE"},
	{SIGILL, "SIGILL"},
};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* Global: a signal handler has no argument for context.  Handlers belong to the
 * process, which reports one signal at most. */
static struct sigaction previous[SIGNALS];
static crash_describe_fn *describe;
static atomic_flag reported = ATOMIC_FLAG_INIT;
/* Thread-local instead of allocated, so that it is freed with the thread. */
static _Thread_local unsigned char stack[STACK_LEN];

struct line {
	char text[512];
	size_t len;
};

static void add(struct line *line, const char *text)
{
	size_t n = strnlen(text, 64);

	if (n > sizeof(line->text) - line->len)
		n = sizeof(line->text) - line->len;
	memcpy(line->text + line->len, text, n);
	line->len += n;
}

static void add_number(struct line *line, uintmax_t number, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	add(line, digits + at);
}

static void add_cause(struct line *line, const siginfo_t *info)
{
	if (info->si_code > 0) {
		add(line, " at address 0x");
		add_number(line, (uintptr_t)info->si_addr, 16);
	} else if (info->si_pid == getpid()) {
		add(line, ", raised by itself");
	} else {
		add(line, ", sent by process ");
		add_number(line, (uintmax_t)info->si_pid, 10);
	}
}

static void add_thread(struct line *line)
{
	if (!loop_current) {
		add(line, ", on thread ");
		add_number(line, (uintmax_t)gettid(), 10);
	} else if (loop_current->index == RELAY_CONTROL) {
		add(line, ", on the control thread");
	} else {
		add(line, ", on worker ");
		add_number(line, (uintmax_t)loop_current->index, 10);
	}
}

static void add_module(struct line *line)
{
	const struct relay_ctx *cx =
		loop_current ? loop_running(loop_current) : NULL;
	const char *name, *version;

	if (!cx) {
		add(line, ", in the server itself");
		return;
	}
	describe(cx, &name, &version);
	add(line, ", in module ");
	add(line, name);
	add(line, " ");
	add(line, version);
}

static void report(const char *name, const siginfo_t *info)
{
	struct line line = {.len = 0};
	ssize_t ignored;

	add(&line, "strelaysrv: fatal signal ");
	add(&line, name);
	add_cause(&line, info);
	add_thread(&line);
	add_module(&line);
	add(&line, "\n");
	ignored = write(STDERR_FILENO, line.text, line.len);
	(void)ignored;
}

static void hand_on(
	const struct sigaction *old, int number, siginfo_t *info, void *context)
{
	if ((old->sa_flags & SA_SIGINFO) && old->sa_sigaction) {
		old->sa_sigaction(number, info, context);
		return;
	}
	if (!(old->sa_flags & SA_SIGINFO) && old->sa_handler != SIG_DFL &&
		old->sa_handler != SIG_IGN) {
		old->sa_handler(number);
		return;
	}
	/* A fault occurs again when the instruction is repeated, now with the
	 * default action, and with the registers of the fault in the core dump.
	 * A signal that was sent must be raised again. */
	(void)signal(number, SIG_DFL);
	if (info->si_code <= 0)
		(void)raise(number);
}

static void handler(int number, siginfo_t *info, void *context)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		if (signals[i].number != number)
			continue;
		if (!atomic_flag_test_and_set(&reported))
			report(signals[i].name, info);
		hand_on(&previous[i], number, info, context);
	}
}

int crash_thread_init(void)
{
	stack_t now;
	const stack_t ours = {.ss_sp = stack, .ss_size = sizeof(stack)};

	if (sigaltstack(NULL, &now))
		return -1;
	/* Sanitizers set a stack of their own; at the end of the thread they
	 * free whatever stack is set. */
	if (!(now.ss_flags & SS_DISABLE))
		return 0;
	return sigaltstack(&ours, NULL);
}

int crash_init(crash_describe_fn *fn)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

	if (crash_thread_init())
		return -1;
	describe = fn;
	action.sa_sigaction = handler;
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNALS; i++) {
		if (sigaction(signals[i].number, &action, &previous[i]))
			return -1;
	}
	return 0;
}
