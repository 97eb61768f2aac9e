/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Closed to newcomers: by which modules, and so in all.
 */
#ifndef CLOSED_H
#define CLOSED_H

struct relay_module;

/* A module's stage has changed: what it said counts while it is live.  [C] */
void closed_refresh(void);
/* What the server itself says, before any module; NULL: nothing.  [C] */
void closed_server(const char *word);
/* Forgets what a module said.  [C] */
void closed_withdraw(const struct relay_module *mod);

#endif
