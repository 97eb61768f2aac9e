/* SPDX-License-Identifier: MPL-2.0 */

/* The table of attacks. */

#include <string.h>

#include "attacks.h"

#define TEXT(field, text)                                                      \
	.field = (const uint8_t *)(text), .field##_len = sizeof(text) - 1

/* A JoinSessionRequest without its key of 32 bytes, which follows. */
#define JOIN_SESSION "\x9e\x79\xbc\x40\0\0\0\3\0\0\0\x24\0\0\0\x20"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

/* The server closes after its answer. */
#define GET_LAST(path)                                                         \
	"GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n"                         \
	"Connection: close\r\n\r\n"

/* Many messages per write, so that they cost the attacker little. */
#define GET10(path)                                                            \
	GET(path)                                                              \
	GET(path)                                                              \
	GET(path)                                                              \
	GET(path) GET(path) GET(path) GET(path) GET(path) GET(path) GET(path)

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

#define KIB_OF_ZEROS                                                           \
	ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS      \
		ZEROS ZEROS ZEROS ZEROS ZEROS

/* A gateway's description, as far as it comes. */
#define DESCRIPTION                                                            \
	"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n"                    \
	"<?xml version=\"1.0\"?><root>"
#define TAGS "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"
#define KIB_OF_TAGS                                                            \
	TAGS TAGS TAGS TAGS TAGS TAGS TAGS TAGS TAGS TAGS TAGS TAGS TAGS TAGS  \
		TAGS TAGS

static const struct attack attacks[] = {
	{.name = "silent",
		.help = "connections that say nothing",
		.swarms = {{.open = 5000}}},
	{.name = "one-byte",
		.help = "connections that say one byte, a handshake's first",
		.swarms = {{.open = 18000, TEXT(first, "\x16")}}},
	{.name = "one-byte-plain",
		.help = "connections that say one byte, a session's first",
		.swarms = {{.open = 18000, TEXT(first, "\x9e")}}},
	{.name = "half-hello",
		.help = "half a ClientHello, then silence",
		.hello = HELLO_HALF,
		.swarms = {{.open = 2000}}},
	{.name = "large-hello",
		.help = "131 kB of ClientHello, all but its last byte",
		.hello = HELLO_LARGE,
		.swarms = {{.open = 1000}}},
	{.name = "hello-close",
		.help = "a good ClientHello, then the end",
		.hello = HELLO_GOOD,
		.swarms = {{.open = 64, .end = SWARM_SENT}}},
	{.name = "hello-stay",
		.help = "a good ClientHello, then silence",
		.hello = HELLO_GOOD,
		.swarms = {{.open = 1000}}},
	{.name = "hello-p384",
		.help = "a ClientHello with a key share on P-384, replayed",
		.hello = HELLO_P384,
		.swarms = {{.open = 64, .per_s = 600, .end = SWARM_ANSWERED}}},
	{.name = "handshake-silent",
		.help = "a whole handshake, then silence",
		.gang = {DEED_NOTHING, .open = 1000, .identities = 64}},
	{.name = "handshake-leave",
		.help = "a whole handshake, then the end",
		.gang = {DEED_LEAVE, .open = 64, .identities = 64}},
	{.name = "many-certificates",
		.help = "a handshake with eight certificates",
		.gang = {DEED_NOTHING, .open = 32, .identities = 64,
			.more = 7}},
	{.name = "wrong-token",
		.help = "joins with a wrong token",
		.gang = {DEED_WRONG_TOKEN, .open = 32, .identities = 64}},
	{.name = "churn",
		.help = "joins, and leaves at once",
		.gang = {DEED_CHURN, .open = 32, .identities = 256}},
	{.name = "join-stay",
		.help = "joins, and stays",
		.gang = {DEED_JOIN, .open = 1000, .identities = 1000}},
	{.name = "ask-absent",
		.help = "asks for devices that are not there",
		.gang = {DEED_ASK_ABSENT, .open = 32, .identities = 64}},
	{.name = "ask-victim",
		.help = "asks for a device, joins its half, begins a TLS "
			"record",
		.gang = {DEED_ASK_HALF, .open = 64, .identities = 64},
		.needs_target = true},
	{.name = "pending-keys",
		.help = "asks for its own devices, never uses the keys",
		.gang = {DEED_ASK_DROP, .open = 64, .identities = 1024},
		.accomplices = 64},
	{.name = "half-reset",
		.help = "asks, fills its half of the session, resets it",
		.gang = {DEED_ASK_RESET, .open = 32, .identities = 256},
		.accomplices = 16},
	{.name = "half-stay",
		.help = "asks, fills its half of the session, stays",
		.gang = {DEED_ASK_FILL, .open = 256, .identities = 256},
		.accomplices = 64},
	{.name = "pings",
		.help = "joins, and pings without end",
		.gang = {DEED_PING, .open = 16, .identities = 16}},
	{.name = "deaf-pings",
		.help = "joins, pings without end, reads no answer",
		.gang = {DEED_DEAF, .open = 16, .identities = 16}},
	{.name = "junk",
		.help = "HTTP and random bytes on the relay port",
		.swarms = {{.open = 64, TEXT(first, GET("/"))},
			{.open = 64, .random_len = 4096}}},
	{.name = "guessed-keys",
		.help = "session keys, by chance",
		.swarms = {{.open = 64,
			TEXT(first, JOIN_SESSION),
			.random_len = 32}}},
	{.name = "guessed-keys-stay",
		.help = "session keys, by chance; stays after the answer",
		.swarms = {{.open = 3000,
			.stays = true,
			TEXT(first, JOIN_SESSION),
			.random_len = 32,
			TEXT(again, "x"),
			.again_ms = 500}}},
	{.name = "guessed-keys-send",
		.help = "session keys, by chance; sends on after the answer",
		.swarms = {{.open = 8,
			.stays = true,
			TEXT(first, JOIN_SESSION),
			.random_len = 32,
			TEXT(again, KIB_OF_ZEROS KIB_OF_ZEROS)}}},
	{.name = "greedy-sessions",
		.help = "sessions that carry as much as they can",
		.jam = {.count = 64, .reads = true}},
	{.name = "stalled-readers",
		.help = "sessions that both sides fill and neither reads",
		.jam = {.count = 48}},
	{.name = "stalled-talkers",
		.help = "sessions whose reader reads nothing, and sends a byte "
			"now and then",
		.jam = {.count = 48, .byte_ms = 500}},
	{.name = "full-queues",
		.help = "sessions whose one side goes while the other's queue "
			"is full",
		.jam = {.count = 16, .ends = true}},
	{.name = "descriptors",
		.help = "more connections than descriptors, on both ports",
		.swarms = {{.open = 3000}, {.open = 3000, .http = true}}},
	{.name = "http-chunk-line",
		.help = "HTTP: a chunk's size that never ends",
		.swarms = {{.http = true,
			.open = 32,
			TEXT(first,
				"POST /status HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				"Transfer-Encoding: chunked\r\n\r\n"),
			TEXT(again, ZEROS ZEROS ZEROS ZEROS)}}},
	{.name = "http-long-head",
		.help = "HTTP: a header that never ends",
		.swarms = {{.http = true,
			.open = 32,
			TEXT(first, "GET /status HTTP/1.1\r\nX: "),
			TEXT(again, ZEROS ZEROS ZEROS ZEROS)}}},
	{.name = "http-pipelining",
		.help = "HTTP: requests one after the other, without a wait",
		.swarms = {{.http = true,
			.open = 16,
			TEXT(again, GET10("/status"))}}},
	{.name = "http-unread",
		.help = "HTTP: answers that nobody reads",
		.swarms = {{.http = true,
			.open = 64,
			.deaf = true,
			TEXT(again, GET10("/status"))}}},
	{.name = "http-half-unread",
		.help = "HTTP: answers that nobody reads, and half a request",
		.swarms = {{.http = true,
			.open = 400,
			.deaf = true,
			TEXT(first, GET10("/status")
					    GET10("/status") "GET /status "
							     "HTTP/1.1\r\n")}}},
	{.name = "http-idle",
		.help = "HTTP: connections that have asked once, and stay",
		.swarms = {{.http = true,
			.open = 2000,
			TEXT(first, GET("/healthz"))}}},
	{.name = "http-flood",
		.help = "HTTP: connections that come and go",
		.swarms = {{.http = true,
			.open = 64,
			.end = SWARM_ANSWERED,
			TEXT(first, GET("/healthz"))}}},
	{.name = "http-slow",
		.help = "HTTP: a header that comes byte by byte",
		.swarms = {{.http = true,
			.open = 1000,
			TEXT(first, "GET /status HTTP/1.1\r\nX: "),
			TEXT(again, "x"),
			.again_ms = 500}}},
	{.name = "http-last-unread",
		.help = "HTTP: answers that nobody reads, of which one is the "
			"last",
		.swarms = {{.http = true,
			.open = 100,
			.deaf = true,
			TEXT(first, GET10("/status") GET_LAST("/status"))}}},
	{.name = "gateway-endless",
		.help = "a gateway whose description never ends",
		.gateway = {.answers = 1,
			.head = DESCRIPTION,
			.again = KIB_OF_TAGS KIB_OF_TAGS}},
	{.name = "gateway-slow",
		.help = "a gateway whose description comes byte by byte",
		.gateway = {.answers = 1,
			.head = DESCRIPTION,
			.again = "<",
			.again_ms = 1000}},
	{.name = "lan-stranger",
		.help = "a host that says thousands of times that it is a "
			"gateway",
		.gateway = {.answers = 4000,
			.head = DESCRIPTION,
			.again = KIB_OF_TAGS KIB_OF_TAGS}},
};

const struct attack *attacks_all(size_t *count)
{
	*count = sizeof(attacks) / sizeof(attacks[0]);
	return attacks;
}

const struct attack *attacks_find(const char *name)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (strcmp(attacks[i].name, name) == 0)
			return &attacks[i];
	}
	return NULL;
}
