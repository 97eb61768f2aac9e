/* SPDX-License-Identifier: MPL-2.0 */

/* Simulated pipes. */
#ifndef SIM_PIPE_H
#define SIM_PIPE_H

#include "sim.h"

ssize_t sim_pipe_read(struct sim_pipe *pipe, void *to, size_t len);
/* Frees it with its last end. */
void sim_pipe_close(struct sim_pipe *pipe);

#endif
