/* SPDX-License-Identifier: MPL-2.0 */

/* The steps that an input consists of. */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct program {
	const uint8_t *data;
	size_t len, at;
};

/* Takes and does the next step.  Whether all was handled that followed. */
bool step_do(struct program *program);
/* The loops and the clients do all that there is to do now. */
void steps_settle(void);
/* Everybody leaves, and the server has the time that it takes. */
void steps_end(unsigned how);
/* All servers stop while they have sessions. */
void steps_stop(void);
/* Much later, a client comes from each source, and leaves. */
void steps_visit(void);

#endif
