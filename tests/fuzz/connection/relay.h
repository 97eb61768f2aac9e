/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Servers with their modules, in this process, without threads: the caller runs
 * the loops of workers and of the control thread in turn.  There is one server
 * for each configuration.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>

struct configuration;
struct sim_tcp;
struct sockaddr_in6;

#ifndef RELAY_WORKERS
#define RELAY_WORKERS 2
#endif

/* Where the modules are; folders are separated by commas, the first counts. */
extern const char *relay_modules;

/* Starts one for each configuration; each has a temporary folder. */
void relay_begin(void);
/* Stops them as a server that ends does, and removes the folders. */
void relay_end(void);
/* The other functions are about this one. */
void relay_choose(unsigned which);
const struct configuration *relay_configuration(void);
struct sim_tcp *relay_connect(unsigned worker, const struct sockaddr_in6 *from);

/* It reads its configuration again, in which some modules are left out: each
 * bit of `without` names one.  Whether it could. */
bool relay_reload(unsigned without);
/* It begins to drain, for a new process or for good; or stops to, if it does
 * already. */
void relay_drain(unsigned how);
/* No drain, and all modules. */
void relay_as_before(void);

/* It stops, with its grace period, and serves nobody any more. */
void relay_stop(void);

/* Lets the loops handle all events and timers that are due. */
void relay_calm_down(void);
/* Time passes; timers run when they are due. */
void relay_wait(int64_t ms);
/* Time jumps, as if the machine had been suspended. */
void relay_leap(int64_t until_us);
/* Handles a single round of one loop: some events may remain.  RELAY_WORKERS is
 * the control thread's.  Whether there was anything to do. */
bool relay_step(unsigned worker);

int64_t relay_metric(const char *module, const char *name, const char *value);

#endif
