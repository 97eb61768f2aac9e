/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Option tables of fictional modules, for tests of flags and configuration.
 */
#ifndef SAMPLE_OPTIONS_H
#define SAMPLE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/option.h>

#include "config/config.h"

struct relay_conf {
	int64_t ping_interval;
	int64_t message_timeout;
	const char *provided_by;
	const char *token;
	bool strict;
};

static const struct relay_option relay_table[] = {
	RELAY_OPT(struct relay_conf, ping_interval, int64_t, "ping-interval",
		RELAY_DURATION, "1m", 1000, 86400000, "how often",
		.flag = "ping-interval"),
	RELAY_OPT(struct relay_conf, message_timeout, int64_t,
		"message-timeout", RELAY_DURATION, "60s", 1, -1, "how long",
		.flag = "message-timeout"),
	RELAY_OPT(struct relay_conf, provided_by, const char *, "provided-by",
		RELAY_STRING, "", 0, 30, "by whom", .flag = "provided-by"),
	RELAY_OPT(struct relay_conf, token, const char *, "token", RELAY_STRING,
		"", 0, 0, "what joins must bring", .flag = "token",
		.flags = RELAY_OPTION_SECRET | RELAY_OPTION_GUARD),
	RELAY_OPT(struct relay_conf, strict, bool, "strict", RELAY_BOOL, "yes",
		0, 0, "own flag only"),
	RELAY_OPT_END,
};

struct log_conf {
	int64_t level;
	const char *const *targets;
};

static const char *const log_levels[] = {"error", "notice", "debug", NULL};

static const struct relay_option log_table[] = {
	RELAY_OPT(struct log_conf, level, int64_t, "level", RELAY_CHOICE,
		"notice", 0, 0, "how much", .choices = log_levels),
	RELAY_OPT(struct log_conf, targets, const char *const *, "targets",
		RELAY_LIST, "stderr", 0, 3, "where to"),
	RELAY_OPT_END,
};

struct nat_conf {
	bool nat;
	int64_t lease;
};

static const struct relay_option nat_table[] = {
	RELAY_OPT(struct nat_conf, nat, bool, "enable", RELAY_BOOL, "no", 0, 0,
		"map a port", .flag = "nat"),
	RELAY_OPT(struct nat_conf, lease, int64_t, "lease", RELAY_DURATION,
		"60m", 60000, 86400000, "for how long", .flag = "nat-lease",
		.flag_unit = "m"),
	RELAY_OPT_END,
};

static const struct config_module sample_modules[] = {
	{.name = "relay",
		.options = relay_table,
		.conf_size = sizeof(struct relay_conf)},
	{.name = "log",
		.options = log_table,
		.conf_size = sizeof(struct log_conf)},
	{.name = "nat",
		.options = nat_table,
		.conf_size = sizeof(struct nat_conf)},
	{.name = "status"},
};

#define SAMPLE_MODULES (sizeof(sample_modules) / sizeof(sample_modules[0]))

#endif
