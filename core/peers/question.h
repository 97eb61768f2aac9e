/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Questions whose answer takes time: relay_ask_join_wait() and the like ask the
 * filters, one of which may take a ticket; relay_settle() answers.
 */
#ifndef QUESTION_H
#define QUESTION_H

struct relay_conn;
struct relay_module;

/* [W]  A reload removes the module; the new hooks are in force. */
void question_module_left(
	struct relay_conn *conn, const struct relay_module *mod);

#endif
