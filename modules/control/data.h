/* SPDX-License-Identifier: MPL-2.0 */

/* data.h - the options and the data of the module. */
#ifndef DATA_H
#define DATA_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "client.h"
#include "listener.h"

struct conf {
	const char *socket; /* "": the default path */
	int64_t mode;       /* index in control_modes[] */
	const char *group;  /* "": the process's */
};

/* Indexes in the table of metrics. */
enum {
	METRIC_COMMANDS, /* by enum command_result */
	METRIC_ENDED,    /* by enum client_end */
	METRIC_CLIENTS,
	METRICS
};

enum command_result {
	RESULT_OK,
	RESULT_FAILED,
	RESULT_USAGE,
	RESULT_REFUSED,
};

struct state {
	struct listener listener; /* fd -1: none */
	struct listener next;     /* prepared by a reload */
	bool next_set;            /* `next` replaces `listener` */
	bool late;     /* the old process of an upgrade has the path until
			  `ready` */
	bool draining; /* another process has the path */
	struct clients clients;
	struct relay_log_kind broken; /* see clients.c */
	struct relay_metric *metrics[METRICS];
};

static inline struct state *state_of(const struct relay_ctx *cx)
{
	return cx->data;
}

#endif
