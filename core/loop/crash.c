/* SPDX-License-Identifier: MPL-2.0 */

/* The report of a fatal signal.  It uses only what is safe in a signal handler.
 */

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#include "loop/at_exit.h"
#include "loop/code_map.h"
#include "loop/crash.h"
#include "loop/crash_reason.h"
#include "loop/loop.h"
#include "loop/thread_function.h"

#define STACK_LEN 65536
/* How long other threads wait for a report, and how often they look. */
#define REPORT_MS      1000
#define REPORT_LOOK_MS 10

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
static _Atomic pid_t reporter; /* the thread that reports; 0: none yet */
static atomic_bool reported;
/* Thread-local instead of allocated, so that it is freed with the thread. */
static _Thread_local unsigned char stack[STACK_LEN];

/* The module file that this thread is opening; NULL: none. */
static _Thread_local const char *opening;
/* The process whose exit is reported, and whether that exit is expected. */
static pid_t process;
static volatile bool leaving;

struct line {
	char text[1024];
	size_t len;
};

static void add(struct line *line, const char *text)
{
	size_t n = strnlen(text, 256);

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

static void add_named(struct line *line, const char *how, const char *name,
	const char *version)
{
	add(line, how);
	add(line, name);
	add(line, " ");
	add(line, version);
}

/* Whether the thread runs the server's own loop, or another function of it. */
static bool is_server_thread(const struct code_owner *began)
{
	return loop_current || gettid() == getpid() ||
	       (began && began->is_program);
}

/*
 * What is known for certain comes first: whose code ran, which module the
 * server had called, whose thread it is.  Then the stack, where it names a
 * caller of a library's code.  `pc` is 0 if it is unknown.
 */
static void add_culprit(struct line *line, uintptr_t pc, uintptr_t sp)
{
	const struct relay_ctx *cx =
		loop_current ? loop_running(loop_current) : NULL;
	const struct code_owner *owner = code_map_find(pc);
	const struct code_owner *began = code_map_find(thread_function());
	const char *name, *version;

	if (owner && !owner->is_program) {
		add_named(line, ", in module ", owner->name, owner->version);
	} else if (cx) {
		describe(cx, &name, &version);
		add_named(line, ", in module ", name, version);
	} else if (began && !began->is_program) {
		add_named(line, ", in a thread of module ", began->name,
			began->version);
	} else {
		bool server = is_server_thread(began);

		if (!owner || !server)
			owner = code_map_caller(sp, !server);
		if (!owner)
			add(line, ", in code that is not known");
		else if (owner->is_program)
			add(line, ", in the server itself");
		else
			add_named(line, ", called by module ", owner->name,
				owner->version);
	}
}

static void add_code(struct line *line, uintptr_t pc, uintptr_t sp)
{
	/* If the server itself aborts, the code that runs is not the cause. */
	if (crash_reason()) {
		add(line, ": ");
		add(line, crash_reason());
	} else if (opening) {
		add(line, ", in a module that is being opened: ");
		add(line, opening);
	} else {
		add_culprit(line, pc, sp);
	}
}

static void print(struct line *line)
{
	ssize_t ignored;

	add(line, "\n");
	ignored = write(STDERR_FILENO, line->text, line->len);
	(void)ignored;
}

static void report(const char *name, const siginfo_t *info, const void *context)
{
	struct line line = {.len = 0};
	uintptr_t pc = 0, sp = (uintptr_t)__builtin_frame_address(0);

	code_map_registers(context, &pc, &sp);
	add(&line, "strelaysrv: fatal signal ");
	add(&line, name);
	add_cause(&line, info);
	add_thread(&line);
	add_code(&line, pc, sp);
	print(&line);
}

void crash_tell_exit(const char *call, int code, uintptr_t pc)
{
	struct line line = {.len = 0};

	if (leaving || getpid() != process)
		return;
	leaving = true; /* one line for each end */
	add(&line, "strelaysrv: something called ");
	add(&line, call);
	add(&line, "(");
	if (code >= 0)
		add_number(&line, (uintmax_t)(code & 0xff), 10);
	add(&line, ")");
	add_thread(&line);
	add_code(&line, pc, (uintptr_t)__builtin_frame_address(0));
	print(&line);
}

/* Runs at exit(); the server calls crash_leave() before an exit() of its own.
 */
static void exiting(int code)
{
	crash_tell_exit("exit", code, 0);
}

/* Runs at quick_exit(), whose code it is not told. */
static void exiting_quickly(void)
{
	crash_tell_exit("quick_exit", -1, 0);
}

void crash_leave(void)
{
	leaving = true;
}

void crash_opening(const char *path)
{
	opening = path;
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

/* One thread reports.  Another that has a fault at the same time waits, since
 * what follows ends the process. */
static void report_once(
	const char *name, const siginfo_t *info, const void *context)
{
	pid_t before = 0;

	if (atomic_compare_exchange_strong(&reporter, &before, gettid())) {
		report(name, info, context);
		atomic_store(&reported, true);
		return;
	}
	/* A fault of the reporting thread itself does not wait. */
	for (int ms = 0;
		ms < REPORT_MS && before != gettid() && !atomic_load(&reported);
		ms += REPORT_LOOK_MS)
		(void)poll(NULL, 0, REPORT_LOOK_MS);
}

static void handler(int number, siginfo_t *info, void *context)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		if (signals[i].number != number)
			continue;
		report_once(signals[i].name, info, context);
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
	process = getpid();
	code_map_add((const void *)(uintptr_t)&crash_init, NULL, NULL, NULL);
	if (at_exit(exiting) != 0 || at_quick_exit(exiting_quickly) != 0)
		return -1;
	action.sa_sigaction = handler;
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNALS; i++) {
		if (sigaction(signals[i].number, &action, &previous[i]))
			return -1;
	}
	return 0;
}
