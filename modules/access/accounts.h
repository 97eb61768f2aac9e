/* SPDX-License-Identifier: MPL-2.0 */

/*
 * accounts.h - the named tokens in force, the devices that have joined with
 * them, and what these use.
 */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include <strelaysrv/module.h>

#include "account.h"
#include "named.h"

/* [C] */
int accounts_init(struct relay_ctx *cx, struct relay_err *err);
void accounts_fini(struct relay_ctx *cx);
/* The labels of metrics, before accounts_take().  0, or -1 with a logged
 * reason. */
int accounts_label(struct relay_ctx *cx, const struct named *named);
/* Puts the names in force, and takes over `named->list`.  `anew`: what was
 * revoked counts again if it is in the list. */
void accounts_take(struct relay_ctx *cx, struct named *named, bool anew);

/* The account of that name: its token is refused from now on.  False: there is
 * none.  [C] */
bool accounts_revoke(struct relay_ctx *cx, const char *name);
/* What its line says.  False: there is none.  [C] */
bool accounts_terms(
	struct relay_ctx *cx, const char *name, struct account_terms *out);

struct account_row {
	char name[TOKEN_NAME_TEXT];
	struct account_terms terms;
	unsigned devices;
	int64_t bytes, month;
	const char *state;
};
/* The account at that place of the list.  False: there is none.  [C] */
bool accounts_row(struct relay_ctx *cx, size_t place, struct account_row *out);
/* [W] After ACCOUNT_TERMS accounting_apply() decides. */
enum account_answer accounts_join(
	struct relay_ctx *cx, struct relay_conn *conn, const char *token);
enum account_answer accounts_stay(
	struct relay_ctx *cx, const struct relay_conn *conn);
/* What that device may begin; ACCOUNT_OK if it is known by no name. */
enum account_answer accounts_device(struct relay_ctx *cx, const uint8_t *id);
void accounts_leave(struct relay_ctx *cx, const struct relay_conn *conn);
void accounts_session(struct relay_ctx *cx, struct relay_session *session);

/* The hooks of these names. */
int accounts_worker_start(struct relay_ctx *cx, struct relay_err *err);
relay_session_sent_fn accounts_session_sent;
relay_session_close_fn accounts_session_close;
relay_session_enter_fn accounts_session_enter;
relay_conn_close_fn accounts_conn_close;

#endif
