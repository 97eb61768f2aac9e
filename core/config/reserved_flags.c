/* SPDX-License-Identifier: MPL-2.0 */

/* The table of flags whose module may not be installed. */

#include "config/reserved_flags.h"

/* The Go server takes durations as bare numbers.  Upper bounds are left to the
 * modules: a max below min means no upper bound. */
const struct reserved_flag reserved_flags[] = {
	{"pool-join",
		{.name = "pools",
			.flags = RELAY_OPTION_BASIC,
			.type = RELAY_LIST,
			.def = "https://relays.syncthing.net/endpoint",
			.help = "relay pools to join, comma-separated; empty "
				"keeps the relay private"},
		true},
	{"rate-limit",
		{.name = "global-rate",
			.flags = RELAY_OPTION_BASIC,
			.type = RELAY_RATE,
			.def = "0",
			.help = "bytes per second of all sessions together"},
		true},
	{"rate-limit",
		{.name = "per-session-rate",
			.type = RELAY_RATE,
			.def = "0",
			.help = "bytes per second of each session"},
		true},
	{"nat",
		{.name = "nat",
			.flags = RELAY_OPTION_BASIC,
			.type = RELAY_BOOL,
			.def = "no",
			.help = "map an external port by UPnP or NAT-PMP"},
		true},
	{"nat",
		{.name = "nat-lease",
			.type = RELAY_DURATION,
			.def = "60m",
			.flag_unit = "m",
			.max = -1,
			.help = "minutes for which a port is mapped"},
		false},
	{"nat",
		{.name = "nat-renewal",
			.type = RELAY_DURATION,
			.def = "30m",
			.flag_unit = "m",
			.max = -1,
			.help = "minutes between two renewals of the mapping"},
		false},
	{"nat",
		{.name = "nat-timeout",
			.type = RELAY_DURATION,
			.def = "10s",
			.flag_unit = "s",
			.max = -1,
			.help = "seconds for which a gateway is searched"},
		false},
	{.module = NULL},
};

_Static_assert(sizeof(reserved_flags) / sizeof(reserved_flags[0]) <=
		       RESERVED_FLAGS_MAX,
	"RESERVED_FLAGS_MAX is too small");
