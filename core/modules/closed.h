/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whether the server is closed to new connections and joins, and by whom.
 *
 * A module closes it with relay_set_closed(), the server itself with
 * closed_server(); it is open when nobody keeps it closed.
 */
#ifndef CLOSED_H
#define CLOSED_H

struct relay_module;

/* Looks again after a module has become live or has ceased to be: only live
 * modules keep the server closed.  [C] */
void closed_refresh(void);
/* The server closes itself with this word, which is told before any module's;
 * NULL: it does not.  [C] */
void closed_server(const char *word);
/* The module, which ends, no longer keeps it closed.  [C] */
void closed_withdraw(const struct relay_module *mod);

#endif
