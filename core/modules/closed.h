/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whether the server is closed to new connections and joins, and by whom.
 *
 * A module closes it with relay_set_closed(), the server itself with
 * closed_server().  It is open when neither the server nor any live module
 * keeps it closed.
 */
#ifndef CLOSED_H
#define CLOSED_H

struct relay_module;

/* Recomputes the state.  Call it after a module has become live or is no longer
 * live: only live modules keep the server closed.  [C] */
void closed_refresh(void);
/* The server closes itself with this word as the reason, which takes precedence
 * over any module's; NULL: it no longer does.  [C] */
void closed_server(const char *word);
/* The module no longer keeps the server closed.  [C] */
void closed_withdraw(const struct relay_module *mod);

#endif
