/* SPDX-License-Identifier: MPL-2.0 */

/* sharing.h - the tables that other modules share with those of other nodes,
 * see <strelaysrv/shared_table.h>.  [C] */
#ifndef CLUSTER_SHARING_H
#define CLUSTER_SHARING_H

#include <strelaysrv/module.h>

#include "cluster/registry.h"

/* Publishes the service.  0, or -1 with err. */
int sharing_init(struct relay_ctx *cx, struct relay_err *err);
/* 0, or -1 with err. */
int sharing_start(struct relay_ctx *cx, struct relay_err *err);
void sharing_fini(struct relay_ctx *cx);
/* After a reload: there may be another generation of keys. */
void sharing_again(struct relay_ctx *cx);
/* The registry can be reached, and is of this relay; or not any more. */
void sharing_back(struct relay_ctx *cx);
void sharing_away(struct relay_ctx *cx);
/* Of struct registry_calls; the first argument is a context. */
void sharing_row_stored(
	void *arg, unsigned table, const struct registry_row *row);
void sharing_row_came(
	void *arg, unsigned table, const struct registry_row *row);
void sharing_rows_over(
	void *arg, unsigned table, const struct registry_page *page);

#endif
