/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes connections of proxies: headers in pieces, clients that leave, time
 * that passes, many that wait, and connections that another process hands over
 * with what it says of them.  The sockets are real; the clock and the rest of
 * the server are not.
 *
 * The first byte says how many may wait.  Then each step is a byte for what
 * happens, one for the client, one for a length, and the bytes.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/instance.h"
#include "fuzz.h"
#include "log/log.h"
#include "net/capacity.h"
#include "net/listen_socket.h"
#include "net/proxy_header.h"
#include "peers/conn_accept.h"
#include "peers/conn_address.h"
#include "peers/conn_import.h"
#include "peers/conn_state.h"
#include "peers/listen_set.h"
#include "peers/listener_facts.h"
#include "peers/peer_metrics.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "peers/proxy_accept.h"
#include "peers/socket_end.h"
#include "peers/stranger_eviction.h"
#include "workers/deadlines.h"
#include "workers/workers.h"

#define CLIENTS   24
#define SENT_MOST 2048
#define STEP_MS   500

static struct client {
	int fd, server_fd; /* -1: closed, or none; the server's own end */
	uint8_t sent[SENT_MOST];
	size_t len, passed; /* of sent, what the server has accepted */
	size_t made;        /* of the header that the step HEADER sends */
	int64_t since_ms;
	bool accepted, over; /* as whose; its end was seen */
	bool leaves;         /* it has closed, or sends no more */
} clients[CLIENTS];
static unsigned used;

static struct peers peers;
static struct peers_shared room;
static struct listener_facts *facts;
static int64_t now_ms, limit, inside, waiting, labels[16];

/* What the rest of the server does. */

static struct deadline *deadlines[CLIENTS];
static int64_t due_ms[CLIENTS];

void deadline_set(
	struct worker *worker, struct deadline *deadline, int64_t at_ms)
{
	unsigned i = 0;

	(void)worker;
	while (i < CLIENTS && deadlines[i])
		i++;
	FUZZ_CHECK(i < CLIENTS);
	deadlines[i] = deadline;
	due_ms[i] = at_ms;
}

void deadline_clear(struct worker *worker, struct deadline *deadline)
{
	(void)worker;
	for (unsigned i = 0; i < CLIENTS; i++)
		if (deadlines[i] == deadline)
			deadlines[i] = NULL;
}

_Thread_local struct loop *loop_current;

int64_t loop_tick(struct loop *loop)
{
	atomic_store(&loop->turn_ms, now_ms);
	return now_ms;
}

int64_t clock_ms(void)
{
	return now_ms;
}

/* What another process hands over, and how. */
enum handed_how { HANDED_PROXIED, HANDED_ONWARD, HANDED_BACK, HANDED_HOWS };

static struct {
	struct relay_conn *conn; /* NULL: nothing is being handed over */
	enum handed_how how;
	const uint8_t *data;
	size_t len, head; /* of data; of what is said, before what was read */
	struct sockaddr_storage peer, own; /* of the socket */
	bool no_listener, any_private, full, post_fails;
	bool accepted, given;
} handed;

int loop_post(struct loop *loop, loop_fn *fn, const void *arg, size_t len)
{
	void *copy = malloc(len);

	FUZZ_CHECK(copy);
	memcpy(copy, arg, len);
	if (!handed.post_fails)
		fn(loop, copy);
	free(copy);
	return handed.post_fails ? -1 : 0;
}

unsigned workers_count(void)
{
	return 1;
}

struct worker *workers_get(unsigned i)
{
	FUZZ_CHECK(i == 0);
	return &peers.worker;
}

void relay_log_seldom(const struct relay_ctx *cx, enum relay_level level,
	struct relay_log_kind *kind, const char *fmt, ...)
{
	(void)cx;
	(void)level;
	(void)kind;
	(void)fmt;
}

void peer_count(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t by)
{
	(void)shard;
	if (which == PEER_PROXY_WAITING)
		waiting += by;
	else if (which == PEER_PROXY_CONNECTIONS)
		labels[value] += by;
}

int64_t capacity_limit(void)
{
	return limit;
}

void capacity_leave(void)
{
	FUZZ_CHECK(inside-- > 0);
}

bool capacity_enter_or_evict(struct worker *worker)
{
	(void)worker;
	inside += !handed.full;
	return !handed.full;
}

bool socket_broken(int fd)
{
	struct pollfd one = {.fd = fd};

	FUZZ_CHECK(poll(&one, 1, 0) >= 0);
	return one.revents & (POLLHUP | POLLERR);
}

/* Whoever asks names the socket's own address. */
struct listener_facts *listen_set_facts(
	const struct listen_set *set, const struct listen_place *to)
{
	FUZZ_CHECK(set == &room.now);
	FUZZ_CHECK(memcmp(&to->addr, &handed.own, sizeof(handed.own)) == 0);
	return handed.no_listener ? NULL : listener_facts_share(facts);
}

bool listen_set_any_private(const struct listen_set *set)
{
	FUZZ_CHECK(set == &room.now);
	return handed.any_private;
}

/* Accepted connections. */

/* Whether it may be served here: without its listener it is not known what it
 * may do, unless no listener is private and it came in at a newer process. */
static bool is_welcome(void)
{
	bool known = !handed.no_listener ||
		     (handed.how != HANDED_ONWARD && !handed.any_private);

	return known && handed.len >= handed.head &&
	       handed.len - handed.head <= CONN_IMPORT_DATA_MAX &&
	       !handed.post_fails && !handed.full && !peers.stopping;
}

static void check_onward(const struct sockaddr_storage *to)
{
	struct conn_import_onward got, want;

	memcpy(&want, handed.data, sizeof(want));
	FUZZ_CHECK((to != NULL) == (want.proxied != 0));
	want.proxied = want.proxied != 0;
	want.reserved = 0;
	if (!want.proxied) {
		memset(want.place.to, 0, sizeof(want.place.to));
		want.place.to_port = 0;
	}
	conn_export_onward(handed.conn, &got);
	FUZZ_CHECK(memcmp(&got, &want, sizeof(got)) == 0);
}

/* This process would say of the connection what it was told. */
static void check_handed(const struct sockaddr_storage *from,
	const struct sockaddr_storage *to, const struct listener_facts *of)
{
	struct conn_import_proxied got;

	FUZZ_CHECK(is_welcome() && !handed.accepted);
	FUZZ_CHECK(of == (handed.no_listener ? NULL : facts));
	handed.accepted = true;
	conn_set_address(handed.conn, from);
	FUZZ_CHECK(conn_set_came_in(handed.conn, to) == 0);
	if (handed.how == HANDED_ONWARD) {
		check_onward(to);
	} else if (handed.how == HANDED_PROXIED) {
		FUZZ_CHECK(conn_export_proxied(handed.conn, &got));
		FUZZ_CHECK(memcmp(&got, handed.data, sizeof(got)) == 0);
	} else {
		FUZZ_CHECK(memcmp(from, &handed.peer, sizeof(*from)) == 0);
		FUZZ_CHECK(!to);
	}
	free(handed.conn->came_in);
	handed.conn->came_in = NULL;
}

static void check_rest(struct client *client)
{
	uint8_t rest[SENT_MOST + 1];
	ssize_t got = recv(
		client->server_fd, rest, sizeof(rest), MSG_PEEK | MSG_DONTWAIT);
	size_t want = client->len - client->passed;

	FUZZ_CHECK(got == (ssize_t)want ||
		   (got < 0 && want == 0 && errno != EBADF));
	FUZZ_CHECK(want == 0 ||
		   memcmp(rest, client->sent + client->passed, want) == 0);
}

struct relay_conn *conn_accept(struct worker *worker, int fd,
	const struct sockaddr_storage *from, const struct sockaddr_storage *to,
	struct listener_facts *of)
{
	struct client *client = clients;
	struct proxy_header header;

	FUZZ_CHECK(worker == &peers.worker);
	if (handed.conn) {
		check_handed(from, to, of);
		capacity_leave();
		FUZZ_CHECK(close(fd) == 0);
		return handed.conn;
	}
	while (client < clients + used &&
		(client->server_fd != fd || client->over || client->accepted))
		client++;
	FUZZ_CHECK(client < clients + used && of == facts);
	FUZZ_CHECK(proxy_header_read(client->sent, client->len, &header) ==
		   PROXY_HEADER_PEER);
	FUZZ_CHECK(memcmp(from, &header.from, sizeof(*from)) == 0);
	FUZZ_CHECK(memcmp(to, &header.to, sizeof(*to)) == 0);
	client->accepted = true;
	client->passed = header.len;
	check_rest(client);
	return NULL;
}

void conn_give_read(struct relay_conn *conn, const void *data, size_t len)
{
	FUZZ_CHECK(conn == handed.conn && handed.accepted && !handed.given);
	FUZZ_CHECK(len == handed.len - handed.head);
	FUZZ_CHECK(
		len == 0 || memcmp(data, handed.data + handed.head, len) == 0);
	handed.given = true;
}

/* The steps. */

static const uint8_t *input;
static size_t input_len;

static uint8_t next(void)
{
	uint8_t byte = input_len ? *input : 0;

	input += input_len > 0;
	input_len -= input_len > 0;
	return byte;
}

/* So many bytes of the input, or what is left of it. */
static const uint8_t *take(size_t *len)
{
	const uint8_t *bytes = input;

	if (*len > input_len)
		*len = input_len;
	input += *len;
	input_len -= *len;
	return bytes;
}

static void pair(int ends[2])
{
	FUZZ_CHECK(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
}

static void send_some(struct client *client, const uint8_t *bytes, size_t len)
{
	if (len > SENT_MOST - client->len)
		len = SENT_MOST - client->len;
	if (client->fd < 0 || client->leaves || client->over || len == 0)
		return;
	if (send(client->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) !=
		(ssize_t)len)
		return; /* the server has closed it */
	memcpy(client->sent + client->len, bytes, len);
	client->len += len;
}

static void connect_client(const uint8_t *bytes, size_t len)
{
	struct client *client = &clients[used];
	int ends[2];

	if (used == CLIENTS)
		return;
	pair(ends);
	/* What has the number of a closed descriptor is another connection. */
	for (unsigned i = 0; i < used; i++)
		if (clients[i].server_fd == ends[1])
			clients[i].server_fd = -1;
	used++;
	FUZZ_CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
	*client = (struct client){
		.fd = ends[0], .server_fd = ends[1], .since_ms = now_ms};
	send_some(client, bytes, len);
	inside++;
	proxy_accept(&peers.worker, ends[1], facts);
}

/* The next bytes of a whole header, so that not every input must find one. */
static void send_header(struct client *client, size_t len)
{
	static const uint8_t header[] =
		"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f"
		"\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb\x04\0\0after";

	if (len > sizeof(header) - 1 - client->made)
		len = sizeof(header) - 1 - client->made;
	send_some(client, header + client->made, len);
	client->made += len;
}

static void leave(struct client *client, bool whole)
{
	if (client->fd < 0)
		return;
	client->leaves = true;
	if (!whole) {
		(void)shutdown(client->fd, SHUT_WR);
		return;
	}
	FUZZ_CHECK(close(client->fd) == 0);
	client->fd = -1;
}

static void pass_time(unsigned steps)
{
	now_ms += (int64_t)steps * STEP_MS;
	(void)loop_tick(&peers.worker.loop);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (deadlines[i] && due_ms[i] <= now_ms)
			deadlines[i]->due(deadlines[i]);
}

/* Two ends of a TCP connection.  None is left in the kernel when both are
 * closed, so that there are always ports for more. */
static void tcp_pair(int ends[2])
{
	static const struct linger at_once = {.l_onoff = 1};
	static int listener = -1;
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0) {
		listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		FUZZ_CHECK(listener >= 0);
		FUZZ_CHECK(bind(listener, (struct sockaddr *)&at, len) == 0);
		FUZZ_CHECK(listen(listener, 1) == 0);
	}
	FUZZ_CHECK(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(ends[0] >= 0);
	FUZZ_CHECK(connect(ends[0], (struct sockaddr *)&at, len) == 0);
	ends[1] = accept(listener, NULL, NULL);
	FUZZ_CHECK(ends[1] >= 0);
	for (int i = 0; i < 2; i++)
		FUZZ_CHECK(setsockopt(ends[i], SOL_SOCKET, SO_LINGER, &at_once,
				   sizeof(at_once)) == 0);
}

static void set_handed(unsigned how, const uint8_t *bytes, size_t len, int fd)
{
	static const size_t heads[] = {
		[HANDED_PROXIED] = sizeof(struct conn_import_proxied),
		[HANDED_ONWARD] = sizeof(struct conn_import_onward),
		[HANDED_BACK] = 0};
	socklen_t size = sizeof(handed.peer);

	memset(&handed, 0, sizeof(handed));
	handed.post_fails = how & 1;
	handed.full = how & 2;
	handed.no_listener = how & 4;
	handed.any_private = how & 8;
	peers.stopping = how & 16;
	handed.how = (enum handed_how)((how >> 5) % HANDED_HOWS);
	handed.head = heads[handed.how];
	handed.data = bytes;
	handed.len = len;
	handed.conn = calloc(1, sizeof(*handed.conn));
	FUZZ_CHECK(handed.conn);
	FUZZ_CHECK(
		getpeername(fd, (struct sockaddr *)&handed.peer, &size) == 0);
	size = sizeof(handed.own);
	FUZZ_CHECK(getsockname(fd, (struct sockaddr *)&handed.own, &size) == 0);
}

static void hand_over(unsigned how, const uint8_t *bytes, size_t len)
{
	static void (*const import[])(int fd, const void *data, size_t len) = {
		[HANDED_PROXIED] = conn_import_proxied,
		[HANDED_ONWARD] = conn_import_onward,
		[HANDED_BACK] = conn_import};
	unsigned users = atomic_load(&facts->users);
	int ends[2];

	tcp_pair(ends);
	set_handed(how, bytes, len, ends[1]);
	import[handed.how](ends[1], bytes, len);
	FUZZ_CHECK(handed.accepted == is_welcome());
	FUZZ_CHECK(handed.given == handed.accepted);
	FUZZ_CHECK(atomic_load(&facts->users) == users);
	FUZZ_CHECK(fcntl(ends[1], F_GETFD) == -1 && errno == EBADF);
	FUZZ_CHECK(close(ends[0]) == 0);
	free(handed.conn);
	memset(&handed, 0, sizeof(handed));
	peers.stopping = false;
}

static void step(void)
{
	unsigned what = next() % 8, which = next();
	size_t len = next();
	struct client *client = used ? &clients[which % used] : NULL;
	const uint8_t *bytes;

	if ((what == 1 || what == 7) && len > 64)
		len *= 4;
	if (what > 2 && what != 7)
		len = len % 64;
	bytes = what <= 2 || what == 7 ? take(&len) : NULL;
	if (what == 0)
		connect_client(bytes, len);
	else if (what == 7)
		hand_over(which, bytes, len);
	else if (what == 6)
		pass_time(which % 12);
	else if (client && what <= 2)
		send_some(client, bytes, len);
	else if (client && what == 3)
		send_header(client, len);
	else if (client)
		leave(client, what == 4);
}

/* What must be true after each step. */

static void look_at(struct client *client)
{
	struct proxy_header header;
	enum proxy_header_kind kind =
		proxy_header_read(client->sent, client->len, &header);
	char byte;

	if (client->accepted) {
		check_rest(client);
		return;
	}
	if (!client->over && client->fd >= 0)
		client->over = recv(client->fd, &byte, 1, MSG_DONTWAIT) >= 0 ||
			       errno == ECONNRESET;
	/* Nobody waits for more than may come, and a client is accepted as soon
	 * as its header is there. */
	FUZZ_CHECK(client->over || client->fd < 0 ||
		   (kind == PROXY_HEADER_PART && !client->leaves &&
			   now_ms - client->since_ms < PROXY_HEADER_MS));
	FUZZ_CHECK(kind != PROXY_HEADER_PEER || client->over || client->fd < 0);
}

static void check_all(void)
{
	unsigned open = 0, accepted = 0;
	int64_t counted = 0;

	FUZZ_CHECK(
		event_base_loop(peers.worker.loop.base, EVLOOP_NONBLOCK) >= 0);
	for (unsigned i = 0; i < used; i++) {
		look_at(&clients[i]);
		accepted += clients[i].accepted;
		open += !clients[i].accepted && !clients[i].over &&
			clients[i].fd >= 0;
	}
	for (unsigned i = 0; i < 16; i++)
		counted += labels[i];
	FUZZ_CHECK(waiting == peers.proxies_waiting && waiting == open);
	FUZZ_CHECK(waiting <= limit / PROXY_WAITING_SHARE);
	FUZZ_CHECK(inside == waiting + accepted);
	FUZZ_CHECK(labels[PEER_PROXY_CLIENT] == accepted);
	FUZZ_CHECK(counted == used - waiting);
}

static void begin(void)
{
	static const struct sockaddr_storage bound = {.ss_family = AF_INET};

	peers.worker.loop.base = event_base_new();
	FUZZ_CHECK(peers.worker.loop.base);
	loop_current = &peers.worker.loop;
	instance->peers = &room;
	facts = listener_facts_make(&bound, NULL, NULL, NULL);
	FUZZ_CHECK(facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!facts)
		begin();
	input = data;
	input_len = size;
	used = 0;
	memset(labels, 0, sizeof(labels));
	limit = PROXY_WAITING_SHARE * (1 + next() % 8);
	(void)loop_tick(&peers.worker.loop);
	while (input_len) {
		step();
		check_all();
	}
	proxy_waiting_end(&peers.worker);
	for (unsigned i = 0; i < used; i++) {
		FUZZ_CHECK(!clients[i].accepted ||
			   close(clients[i].server_fd) == 0);
		inside -= clients[i].accepted;
		clients[i].accepted = false;
		clients[i].over = true;
		if (clients[i].fd >= 0)
			FUZZ_CHECK(close(clients[i].fd) == 0);
	}
	FUZZ_CHECK(waiting == 0 && inside == 0);
	FUZZ_CHECK(atomic_load(&facts->users) == 1);
	return 0;
}
