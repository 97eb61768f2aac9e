/* SPDX-License-Identifier: MPL-2.0 */

/* The table of the server's own options. */

#include "base/address.h"
#include "config/config.h"

static const char *const protocols[] = {
	[CORE_TCP] = "tcp",
	[CORE_TCP4] = "tcp4",
	[CORE_TCP6] = "tcp6",
	NULL,
};

static const char *const cryptos[] = {
	[CORE_CRYPTO_OWN] = "own",
	[CORE_CRYPTO_OPENSSL] = "openssl",
	NULL,
};

#define ROW(field, ctype, ...)                                                 \
	RELAY_OPT(struct core_conf, field, ctype, __VA_ARGS__)

const struct relay_option core_options[] = {
	ROW(listen, const char *const *, "listen", RELAY_LIST, ":22067", 1, 64,
		"addresses on which to serve the protocol: HOST:PORT, :PORT or "
		"[IPV6]:PORT",
		.flag = "listen", .flags = RELAY_OPTION_BASIC),
	ROW(proxy_listen, const char *const *, "proxy-listen", RELAY_LIST, "",
		0, 64,
		"those addresses of listen to which only proxies connect; each "
		"connection begins with a PROXY protocol header, version 1 or "
		"2, that names the client",
		.flag = "proxy-listen"),
	ROW(proxy_from, const char *const *, "proxy-from", RELAY_LIST, "", 0,
		64,
		"addresses and ranges of these proxies; connections of others "
		"are closed at once",
		.flag = "proxy-from", .flags = RELAY_OPTION_GUARD),
	ROW(protocol, int64_t, "protocol", RELAY_CHOICE, "tcp", 0, 0,
		"tcp listens on IPv4 and IPv6, tcp4 and tcp6 on one of them",
		.flag = "protocol", .choices = protocols),
	ROW(keys, const char *, "keys", RELAY_STRING, ".", 1, 4095,
		"directory of cert.pem and key.pem, which are created if "
		"missing",
		.flag = "keys",
		.flags = RELAY_OPTION_RESTART | RELAY_OPTION_BASIC),
	ROW(status_srv, const char *, "status-srv", RELAY_STRING, ":22070", 0,
		0, "address of the status service; empty disables it",
		.flag = "status-srv", .flags = RELAY_OPTION_BASIC),
	ROW(private_srv, const char *, "private-srv", RELAY_STRING, "", 0, 0,
		"address for pages that only the operator should see, such as "
		"/metrics; empty: the status address serves them",
		.flag = "private-srv", .flags = RELAY_OPTION_GUARD),
	ROW(private_hosts, const char *const *, "private-hosts", RELAY_LIST, "",
		0, 64,
		"host names that requests for the operator's pages may use, "
		"besides IP addresses, localhost and the machine's own names",
		.flag = "private-hosts"),
	/* No flag: it decides which other flags have a meaning. */
	ROW(modules, const char *const *, "modules", RELAY_LIST,
		"log,bounds,relay,nat,pool-join,rate-limit,status,control", 0,
		64,
		"modules to run, in the order in which their hooks are called"),
	ROW(module_dir, const char *const *, "module-dir", RELAY_LIST, "", 0,
		64,
		"directories of modules, comma-separated; empty: the one that "
		"belongs to the program",
		.flag = "module-dir", .flags = RELAY_OPTION_RESTART),
	ROW(workers, int64_t, "workers", RELAY_INT, "0", 0, 256,
		"threads that carry traffic; 0: as many as there are CPUs, or "
		"as "
		"the control group's CPU quota allows",
		.flag = "workers", .flags = RELAY_OPTION_RESTART),
	ROW(network_buffer, int64_t, "network-buffer", RELAY_SIZE, "65536", 1,
		16777216,
		"size of one read, and the most that is held in each direction "
		"of a session",
		.flag = "network-buffer"),
	ROW(pipe_size, int64_t, "pipe-size", RELAY_SIZE, "1MiB", 0, 1048576,
		"size of the kernel pipe for bulk transfers; 0: copy the data "
		"instead",
		.flag = "pipe-size"),
	ROW(socket_buffer, int64_t, "socket-buffer", RELAY_SIZE, "0", 0,
		1073741824,
		"size of the kernel's buffers for each direction of a session; "
		"0: the kernel chooses, up to tcp_rmem and tcp_wmem, see "
		"tcp(7)",
		.flag = "socket-buffer"),
	ROW(session_memory, int64_t, "session-memory", RELAY_SIZE, "0", 0, 0,
		"kernel memory that all sessions together may use; above it, "
		"sessions that stall or hold most end, and sources that hold "
		"much cannot begin new ones; 0: half of the kernel's pressure "
		"threshold, tcp_mem in tcp(7), or of the control group's "
		"memory",
		.flag = "session-memory"),
	ROW(max_connections, int64_t, "max-connections", RELAY_INT, "0", 0,
		100000000,
		"connections that may be open at once; 0: 80 % of the "
		"descriptor limit, or what the control group's memory allows",
		.flag = "max-connections"),
	ROW(answer_timeout_ms, int64_t, "answer-timeout", RELAY_DURATION,
		"1.5s", 100, 60000,
		"how long modules that ask elsewhere may take to decide about "
		"a device that joins or makes a request",
		.flag = "answer-timeout"),
	ROW(user, const char *, "user", RELAY_STRING, "", 0, 255,
		"user that a server started by root switches to after it has "
		"bound its addresses and read its keys; empty: it stays root",
		.flag = "user", .flags = RELAY_OPTION_RESTART),
	ROW(group, const char *, "group", RELAY_STRING, "", 0, 255,
		"group that a server started by root switches to; empty: the "
		"user's own group",
		.flag = "group", .flags = RELAY_OPTION_RESTART),
	ROW(core_dumps, bool, "core-dumps", RELAY_BOOL, "no", 0, 0,
		"allow core dumps and debuggers, which see the relay's key",
		.flag = "core-dumps", .flags = RELAY_OPTION_RESTART),
	ROW(sandbox, bool, "sandbox", RELAY_BOOL, "on", 0, 0,
		"give up system calls and rights to files that serving does "
		"not need",
		.flag = "sandbox", .flags = RELAY_OPTION_RESTART),
	ROW(crypto, int64_t, "crypto", RELAY_CHOICE, "own", 0, 0,
		"own: the server's own algorithms for TLS where they save "
		"much; "
		"openssl: only OpenSSL's",
		.flag = "crypto", .flags = RELAY_OPTION_RESTART,
		.choices = cryptos),
	ROW(drain_timeout_ms, int64_t, "drain-timeout", RELAY_DURATION, "1h", 0,
		INT64_C(31536000000),
		"how long a drain waits for sessions to end; 0: without limit",
		.flag = "drain-timeout"),
	ROW(drain_spread_ms, int64_t, "drain-spread", RELAY_DURATION, "10s", 0,
		3600000,
		"time over which a drain disconnects idle devices, so that "
		"they do not all reconnect at once",
		.flag = "drain-spread"),
	ROW(upgrade_timeout_ms, int64_t, "upgrade-timeout", RELAY_DURATION,
		"1m", 1000, 3600000,
		"how long a new process may take to become ready; after that "
		"the upgrade is abandoned",
		.flag = "upgrade-timeout"),
	ROW(stop_grace_ms, int64_t, "stop-grace", RELAY_DURATION, "3s", 0,
		60000,
		"how long peers may take to receive their last bytes when the "
		"server stops",
		.flag = "stop-grace"),
	ROW(debug, bool, "debug", RELAY_BOOL, "no", 0, 0,
		"log every connection and every refusal", .flag = "debug",
		.flags = RELAY_OPTION_BASIC),
	ROW(pprof, bool, "pprof", RELAY_BOOL, "no", 0, 0,
		"accepted for compatibility; has no effect", .flag = "pprof"),
	RELAY_OPT_END};
