/* SPDX-License-Identifier: MPL-2.0 */

/*
 * remote_told.h - where a client that comes from another relay reaches this
 * one.
 */
#ifndef REMOTE_TOLD_H
#define REMOTE_TOLD_H

#include <strelaysrv/module.h>

/* A function of the service.  [C] */
int remote_told(
	struct relay_ctx *self, int family, struct sockaddr_storage *out);

#endif
