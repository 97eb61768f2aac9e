/* SPDX-License-Identifier: MPL-2.0 */

/* conf.h - the options. */
#ifndef CLUSTER_CONF_H
#define CLUSTER_CONF_H

#include <stdbool.h>
#include <stdint.h>

struct conf {
	const char *const *servers;
	const char *sentinel_master;
	const char *user;
	const char *password_file;
	int64_t database;
	bool tls;
	const char *ca_file;
	const char *name;
	const char *node;
	const char *const *address;
	int64_t capacity;
	int64_t lease_ms;
	int64_t generation;
};

#endif
