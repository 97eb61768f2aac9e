/* SPDX-License-Identifier: MPL-2.0 */

/* Turns of loops, and interruptions. */

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <string.h>

#include "loop/loop.h"

#include "handback.h"
#include "messages.h"
#include "moves.h"
#include "relay.h"
#include "scheduler.h"
#include "sim.h"

#define LOOPS (RELAY_WORKERS + 1)   /* of a server */
#define MOST  (SERVERS * LOOPS + 1) /* with the channel between two servers */
/* So many loops may be interrupted at a time; the last of them runs on. */
#define DEPTH_MOST 2
/* One of so many chances to interrupt is taken. */
#define CHANCES 3
/* A schedule that has not come to rest after so many turns never will. */
#define TURNS_MOST 200000

uint64_t scheduler_turns, scheduler_interruptions;

static uint64_t state;
static bool on; /* between the first and the last turn of a loop */
static bool running[MOST];
static unsigned server, all = LOOPS;
static unsigned depth;
static unsigned held; /* locks, by whatever code */
static uintptr_t code, code_end;

typedef int mutex_fn(pthread_mutex_t *mutex);

/* Their declarations in headers of libc have attributes of its own. */
int own_lock(pthread_mutex_t *mutex) __asm__("pthread_mutex_lock");
int own_unlock(pthread_mutex_t *mutex) __asm__("pthread_mutex_unlock");

void scheduler_seed(uint64_t seed)
{
	state = seed;
}

unsigned scheduler_below(unsigned n)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) % n);
}

static void choose(unsigned which)
{
	server = which;
	relay_choose(which);
}

static bool turn(unsigned i)
{
	struct loop *interrupted = loop_current;
	unsigned before = server;
	bool busy, was_on = on;

	on = running[i] = true;
	scheduler_turns++;
	choose(i == MOST - 1 ? OLD : i / LOOPS);
	if (i < MOST - 1 && i % LOOPS < RELAY_WORKERS)
		moves_turn(i % LOOPS);
	busy = i == MOST - 1 ? handback_turn() : relay_step(i % LOOPS);
	choose(before);
	loop_current = interrupted;
	running[i] = false;
	on = was_on;
	return busy;
}

static void interrupt(void)
{
	int error = errno;

	if (!on || !sim_here() || held || depth == DEPTH_MOST ||
		scheduler_below(CHANCES))
		return;
	depth++;
	scheduler_interruptions++;
	for (unsigned n = 1 + scheduler_below(4); n > 0; n--) {
		unsigned i = scheduler_below(all);

		/* The control thread of the old server reads the channel. */
		if (!running[i] && (i < MOST - 1 || !running[LOOPS - 1]))
			(void)turn(i);
	}
	depth--;
	errno = error;
}

void messages_posted(void)
{
	interrupt();
}

void scheduler_servers(unsigned servers)
{
	all = servers == 1 ? LOOPS : MOST;
}

void scheduler_turn(void)
{
	(void)turn(scheduler_below(all));
}

bool scheduler_settle(void)
{
	uint64_t until = scheduler_turns + TURNS_MOST;
	unsigned idle = 0, at = scheduler_below(all);
	bool any = false;

	while (idle < all) {
		if (scheduler_turns > until)
			sim_die("the loops never come to rest");
		if (!turn(at)) {
			idle++;
			at = (at + 1) % all;
			continue;
		}
		any = true;
		idle = 0;
		at = scheduler_below(all);
	}
	return any;
}

/* The locks.  They are those of the process; only the module's own calls are
 * places where a worker is interrupted. */

static bool is_ours(const void *caller)
{
	return (uintptr_t)caller >= code && (uintptr_t)caller < code_end;
}

static mutex_fn *next(const char *name, mutex_fn **found)
{
	if (!*found) {
		void *symbol = dlsym(RTLD_NEXT, name);

		memcpy(found, &symbol, sizeof(symbol));
	}
	return *found;
}

int own_lock(pthread_mutex_t *mutex)
{
	static mutex_fn *real;

	if (on && is_ours(__builtin_return_address(0)))
		interrupt();
	held += sim_here();
	return next("pthread_mutex_lock", &real)(mutex);
}

int own_unlock(pthread_mutex_t *mutex)
{
	static mutex_fn *real;
	int result = next("pthread_mutex_unlock", &real)(mutex);

	held -= sim_here();
	if (on && is_ours(__builtin_return_address(0)))
		interrupt();
	return result;
}

static int find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	const size_t len = strlen(info->dlpi_name);

	(void)size;
	(void)arg;
	if (len < 9 || strcmp(info->dlpi_name + len - 9, "/relay.so") != 0)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
			info->dlpi_phdr[i].p_flags & PF_X) {
			code = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			code_end = code + info->dlpi_phdr[i].p_memsz;
		}
	return 1;
}

void scheduler_begin(void)
{
	if (dl_iterate_phdr(find_code, NULL) != 1 || !code)
		sim_die("the module relay is not loaded");
	held = 0;
	sim_events_most = 1;
}
