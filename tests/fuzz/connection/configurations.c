/* SPDX-License-Identifier: MPL-2.0 */

#include "configurations.h"

const struct configuration configurations[CONFIGURATIONS] = {
	/* Splice, and nothing that limits. */
	{
		.quota = "",
		.rest = "network-buffer = 4KiB\n"
			"pipe-size = 64KiB\n"
			"max-connections = 200\n",
	},
	/* Copying, of more at once than a socket takes. */
	{
		.quota = "",
		.rest = "network-buffer = 64KiB\n"
			"pipe-size = 0\n"
			"max-connections = 200\n",
	},
	/* Everything is limited. */
	{
		.quota = "day = 8MiB\n"
			 "throttle-at = 50\n"
			 "throttle-rate = 100kB/s\n",
		.rest = "network-buffer = 16KiB\n"
			"pipe-size = 128KiB\n"
			"max-connections = 24\n"
			"bounds {\n"
			"per-source = 12\n"
			"opening = 10\n"
			"opening-per-source = 6\n"
			"joins-per-minute = 20\n"
			"asks-per-minute = 20\n"
			"failures-per-minute = 10\n"
			"sessions = 4\n"
			"sessions-per-device = 2\n"
			"}\n"
			"access {\n"
			"tokens = { abc }\n"
			"connect-deny = { 10.0.0.3 }\n"
			"}\n"
			"relay {\n"
			"pending-per-device = 4\n"
			"invitations-per-device = 4\n"
			"messages-per-minute = 60\n"
			"}\n"
			"rate-limit {\n"
			"global = 1MB/s\n"
			"per-session = 400kB/s\n"
			"per-device = 500kB/s\n"
			"}\n",
		.shaped = true,
		.ends = true,
		.per_source = 12,
		.sessions = 4,
	},
	/* Little memory and little time. */
	{
		.quota = "",
		.rest = "network-buffer = 64KiB\n"
			"pipe-size = 256KiB\n"
			"session-memory = 256KiB\n"
			"max-connections = 100\n"
			"relay {\n"
			"network-timeout = 20s\n"
			"ping-interval = 5s\n"
			"message-timeout = 4s\n"
			"guest-timeout = 2s\n"
			"park-asks = 3s\n"
			"}\n",
		.ends = true,
	},
	/* Bounded sockets. */
	{
		.quota = "",
		.rest = "network-buffer = 8KiB\n"
			"pipe-size = 1MiB\n"
			"socket-buffer = 16KiB\n"
			"max-connections = 100\n"
			"relay {\n"
			"asks = joined\n"
			"token = abc\n"
			"}\n",
	},
};
