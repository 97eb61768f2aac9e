/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes whole connections: the real server with its modules, in this process,
 * on a simulated kernel.  An input is a list of what clients, the network and
 * the kernel do, see connection/steps.c.
 */

#include <inttypes.h>
#include <stdbool.h>

#include "connection/check.h"
#include "connection/client.h"
#include "connection/configurations.h"
#include "connection/relay.h"
#include "connection/sim.h"
#include "connection/steps.h"
#include "fuzz.h"

/* Each input begins at the same time of a day, as its start may depend on. */
#define DAY_US (INT64_C(86400) * 1000000)

static uint64_t inputs, steps;

static void end(void)
{
	sim_enter();
	steps_stop();
	clients_end();
	relay_end();
	sim_leave();
	(void)printf("connection: %" PRIu64 " steps in %" PRIu64 " inputs\n",
		steps, inputs);
}

static void begin(void)
{
	sim_trace = getenv("FUZZ_TRACE") != NULL;
	sim_enter();
	relay_begin();
	clients_begin();
	for (unsigned i = 0; i < CONFIGURATIONS; i++) {
		relay_choose(i);
		relay_leap((sim_us / DAY_US + 1) * DAY_US);
	}
	check_begin();
	sim_leave();
	if (atexit(end) != 0)
		sim_die("atexit");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program program = {data, size, 2};
	static bool begun;

	if (!begun)
		begin();
	begun = true;
	if (size < 2)
		return 0;
	sim_enter();
	relay_choose(data[0]);
	relay_leap((sim_us / DAY_US + 1) * DAY_US);
	sim_seed(data[0] | (uint64_t)data[1] << 8);
	check_input();
	while (program.at < size) {
		check_step(step_do(&program));
		steps++;
	}
	steps_end(data[1]);
	relay_leap((sim_us / DAY_US + 1) * DAY_US);
	steps_visit();
	check_over();
	clients_forget();
	inputs++;
	sim_leave();
	return 0;
}
