/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the messages of an upgrade, in both processes: the old one hears what
 * a new process says, of any version, and the new one the old one.
 *
 * The first byte says which; then each step is a byte for what happens, one for
 * the message's length, and the message.  Descriptors come along, one or more.
 * At the end, none is left open.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <strelaysrv/server.h>
#include <strelaysrv/units.h>

#include "base/instance.h"
#include "fuzz.h"
#include "host/host.h"
#include "host/reloading.h"
#include "life/drain.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/new_process.h"
#include "life/own_identity.h"
#include "life/systemd_notify.h"
#include "life/pass_on.h"
#include "life/takeover.h"
#include "life/upgrade.h"
#include "life/upgrade_accept.h"
#include "life/upgrade_prepare.h"
#include "log/log.h"
#include "peers/conn_end.h"
#include "peers/conn_import.h"
#include "peers/conn_state.h"
#include "peers/listeners_inherited.h"
#include "peers/peer_metrics.h"
#include "workers/hang_watch.h"
#include "workers/workers.h"
#include "workers/workers_answer.h"

#define CHILD       ((pid_t)1 << 22) /* no process has this number */
#define STEPS_MAX   200
#define FDS_MAX     3
#define AWAIT_MS    1000
#define RAW_MAX     1024
#define DESCRIPTORS 64 /* none is above */

static struct event_base *base;
static int other_end; /* of the channel */
static struct {
	bool accepts, left, told_go, stopped, child_ended;
	int status;
	unsigned imported;
	int64_t bytes; /* that the old process has forwarded */
} now;

/* What both sides need of the rest of the server. */

void log_core(enum relay_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

void relay_server_stop(void)
{
	now.stopped = true;
}

unsigned workers_call(int (*fn)(struct worker *worker, void *arg), void *arg)
{
	(void)fn;
	(void)arg;
	return 0;
}

/* The old process. */

/* The workers answer in the next turn of the loop. */
struct workers_ask {
	struct event *timer;
	void (*over)(bool answer, void *arg);
	void *arg;
};

void workers_ask_free(struct workers_ask *ask)
{
	if (ask)
		event_free(ask->timer);
	free(ask);
}

static void answer(evutil_socket_t fd, short what, void *arg)
{
	const struct workers_ask ask = *(struct workers_ask *)arg;

	(void)fd;
	(void)what;
	workers_ask_free(arg);
	ask.over(true, ask.arg);
}

struct workers_ask *workers_ask(void (*over)(bool answer, void *arg), void *arg)
{
	struct workers_ask *ask = malloc(sizeof(*ask));

	FUZZ_CHECK(ask);
	*ask = (struct workers_ask){.over = over, .arg = arg};
	ask->timer = evtimer_new(base, answer, ask);
	FUZZ_CHECK(ask->timer);
	event_active(ask->timer, EV_TIMEOUT, 0);
	return ask;
}

void upgrade_accept_end(void)
{
	FUZZ_CHECK(now.accepts && !now.left);
	now.accepts = false;
}

void upgrade_accept_again(void)
{
	FUZZ_CHECK(!now.accepts && !now.left);
	now.accepts = true;
}

void upgrade_accept_leave(void)
{
	FUZZ_CHECK(!now.accepts && !now.left);
	now.left = true;
}

void conn_import(int fd, const void *data, size_t len)
{
	FUZZ_CHECK(len <= CONN_IMPORT_DATA_MAX && data);
	now.imported++;
	if (fd >= 0)
		FUZZ_CHECK(close(fd) == 0);
}

void conn_import_proxied(int fd, const void *data, size_t len)
{
	FUZZ_CHECK(len <= HANDOVER_DATA && data);
	now.imported++;
	if (fd >= 0)
		FUZZ_CHECK(close(fd) == 0);
}

void conn_import_onward(int fd, const void *data, size_t len)
{
	FUZZ_CHECK(len <= HANDOVER_DATA && data);
	now.imported++;
	if (fd >= 0)
		FUZZ_CHECK(close(fd) == 0);
}

void conn_export_onward(
	const struct relay_conn *conn, struct conn_import_onward *out)
{
	(void)conn;
	memset(out, 0, sizeof(*out));
}

/* The fuzzed connections are of no proxy. */
bool conn_export_proxied(
	const struct relay_conn *conn, struct conn_import_proxied *out)
{
	(void)conn;
	(void)out;
	return false;
}

void drain_begin(enum relay_drain how)
{
	(void)how;
}

void drain_call_off(void)
{
	FUZZ_CHECK(now.accepts && !now.left);
}

enum relay_drain relay_draining(void)
{
	return RELAY_DRAIN_NONE;
}

int systemd_notify_main_pid(pid_t pid)
{
	FUZZ_CHECK(pid == CHILD);
	return 0;
}

const struct core_conf *host_core(void)
{
	static const struct core_conf conf = {
		.keys = "", .upgrade_timeout_ms = 60000};

	return &conf;
}

int64_t host_drain(enum relay_drain how)
{
	(void)how;
	return 0;
}

void reloading_begin(void)
{
}

void hang_watch_describe_worker(char *out, size_t cap)
{
	(void)snprintf(out, cap, "a worker");
}

int own_identity_is_kept(const char *keys, struct relay_err *err)
{
	(void)keys;
	(void)err;
	return 0;
}

int64_t relay_metric_value(struct relay_ctx *cx, const char *owner,
	const char *name, const char *label)
{
	(void)cx;
	(void)owner;
	(void)name;
	(void)label;
	return now.bytes += 5;
}

/* The steps until the new process runs have no foreign bytes. */

const char *upgrade_objection(void)
{
	const struct upgrade_state *state = &instance->life->upgrade;

	return state->pid || state->stage != STAGE_NONE ? "one is under way"
							: NULL;
}

void upgrade_prepare(void (*over)(bool started))
{
	struct upgrade_state *state = &instance->life->upgrade;
	int ends[2];

	FUZZ_CHECK(handover_pair(ends) == 0);
	state->channel = ends[0];
	other_end = ends[1];
	state->pid = CHILD;
	over(true);
}

void upgrade_prepare_stop(void)
{
}

void new_process_kill(pid_t pid)
{
	FUZZ_CHECK(pid == CHILD);
}

void new_process_interrupt(pid_t pid)
{
	FUZZ_CHECK(pid == CHILD);
}

int new_process_ended(pid_t pid, bool *well)
{
	FUZZ_CHECK(pid == CHILD);
	*well = now.status == 0;
	return now.child_ended ? 0 : -1;
}

void new_process_describe_end(int status, char *out, size_t cap)
{
	(void)snprintf(out, cap, "ended with %d", status);
}

int __wrap_kill(pid_t pid, int number);
pid_t __wrap_waitpid(pid_t pid, int *status, int flags);

int __wrap_kill(pid_t pid, int number)
{
	FUZZ_CHECK(pid == CHILD && number == SIGHUP);
	return 0;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int flags)
{
	FUZZ_CHECK(pid == CHILD);
	(void)flags;
	if (status)
		*status = now.status << 8;
	return pid;
}

/* The new process. */

void peer_count(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t by)
{
	(void)shard;
	(void)which;
	(void)value;
	FUZZ_CHECK(by >= 0);
}

struct metrics_shard *metrics_shard(int worker)
{
	(void)worker;
	return NULL;
}

void listeners_drain_inherited(void)
{
}

void conn_end(struct relay_conn *conn, enum relay_reason reason)
{
	conn->ended = true;
	(void)reason;
}

int __wrap_setpgid(pid_t pid, pid_t group);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int64_t __wrap_clock_ms(void);
static int64_t now_ms;

int __wrap_setpgid(pid_t pid, pid_t group)
{
	(void)pid;
	(void)group;
	return 0;
}

/* All that is to come is there already. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	char look;

	FUZZ_CHECK(n == 1);
	if (recv(fds->fd, &look, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
		return 1;
	now_ms += ms;
	return 0;
}

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}

/* The steps. */

static const uint8_t *input;
static size_t input_len;

static bool take(void *out, size_t len)
{
	if (len > input_len)
		return false;
	if (len)
		memcpy(out, input, len);
	input += len;
	input_len -= len;
	return true;
}

/* Sends any bytes, as another version might, with `count` descriptors. */
static void send_raw(const void *data, size_t len, size_t count)
{
	struct iovec part = {(void *)(uintptr_t)data, len};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {.room = ""};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	int fds[FDS_MAX];

	if (other_end < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		FUZZ_CHECK(fds[i] >= 0);
	}
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	}
	(void)sendmsg(other_end, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
}

/* The next message of the input: false: there is none. */
static bool send_next(void)
{
	uint8_t head[2], data[RAW_MAX] = {0};
	size_t len;

	if (!take(head, sizeof(head)))
		return false;
	len = head[1] == 255 ? RAW_MAX : head[1];
	if (len > input_len)
		len = input_len < RAW_MAX ? input_len : RAW_MAX;
	(void)take(data, len);
	send_raw(data, len, head[0] % 8 < FDS_MAX + 1 ? head[0] % 8 : 0);
	return true;
}

static void turn(void)
{
	FUZZ_CHECK(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

/* The other process has ended. */
static void hang_up(void)
{
	if (other_end >= 0)
		(void)close(other_end);
	other_end = -1;
}

static void hear_all(void)
{
	struct handover_message message;

	while (other_end >= 0 && handover_receive(other_end, &message) > 0)
		if (message.fd >= 0)
			(void)close(message.fd);
}

static void step_of_old(uint8_t what)
{
	struct upgrade_state *state = &instance->life->upgrade;

	switch (what >> 3) {
	case 0:
		event_active(state->timer, EV_TIMEOUT, 0);
		break;
	case 1:
		(void)upgrade_reload();
		break;
	case 2:
		(void)upgrade_drain();
		break;
	case 3:
		upgrade_end();
		break;
	case 4:
		upgrade_begin();
		break;
	case 5:
	case 6:
		now.child_ended = true;
		now.status = what >> 3 == 5 ? 0 : 1;
		event_active(state->child_event, EV_SIGNAL, 1);
		hang_up();
		break;
	case 7:
		hang_up();
		break;
	case 8:
		upgrade_interrupt();
		break;
	default: /* only a message */
		break;
	}
}

static void be_old(void)
{
	static char program[] = "program";
	static char *argv[] = {program, NULL};

	FUZZ_CHECK(upgrade_init(base, argv) == 0);
	upgrade_begin();
	for (int i = 0; i < STEPS_MAX && input_len > 0; i++) {
		/* The next upgrade has its own process. */
		if (now.child_ended && instance->life->upgrade.pid == 0)
			now.child_ended = false;
		step_of_old(*input);
		if (!send_next())
			break;
		turn();
		hear_all();
	}
	turn();
	hear_all();
	hang_up();
	turn();
	upgrade_finish();
	pass_on_finish();
}

static void be_new(void)
{
	struct takeover_state *state = &instance->life->takeover;
	static const uint8_t id[RELAY_DEVICE_ID_LEN];
	struct relay_err err = {.text = ""};
	char text[16];
	int ends[2];
	bool more;

	FUZZ_CHECK(handover_pair(ends) == 0);
	other_end = ends[1];
	(void)snprintf(text, sizeof(text), "%d", ends[0]);
	(void)setenv(HANDOVER_CHANNEL, text, 1);
	(void)setenv(HANDOVER_ID, "x", 1);
	FUZZ_CHECK(takeover_init(&err) == 0 && takeover_is());
	FUZZ_CHECK(!getenv(HANDOVER_CHANNEL));
	FUZZ_CHECK(takeover_check_id(id, "keys", &err) != 0);
	for (int i = 0; i < 4 && send_next(); i++)
		;
	if (takeover_await(AWAIT_MS, &err) == 0 &&
		takeover_serving(base, &err) == 0)
		for (int i = 0; i < STEPS_MAX; i++) {
			struct relay_conn conn = {
				.phase = CONN_TAKEN, .fd = ends[0]};

			if (state->channel >= 0)
				(void)relay_conn_hand_back(
					NULL, &conn, "abc", 3);
			more = send_next();
			turn();
			hear_all();
			if (more)
				continue;
			hang_up();
			turn();
			break;
		}
	takeover_keep();
	takeover_finish();
	hang_up();
}

static void try_variable(void)
{
	struct relay_err err = {.text = ""};
	char *text = fuzz_text(input, input_len);
	int64_t number;

	/* Not one of the fuzzer's own descriptors. */
	if (relay_int_parse(text, &number, NULL) != 0 || number < 0 ||
		number > 1000) {
		(void)setenv(HANDOVER_CHANNEL, text, 1);
		if (takeover_init(&err) == 0)
			takeover_finish();
		else
			FUZZ_CHECK(err.text[0]);
		(void)unsetenv(HANDOVER_CHANNEL);
		(void)unsetenv(HANDOVER_ID);
	}
	free(text);
}

/* How many descriptors are open. */
static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int before;

	if (size == 0)
		return 0;
	if (!base) {
		base = event_base_new();
		FUZZ_CHECK(base);
		(void)signal(SIGPIPE, SIG_IGN);
	}
	before = descriptors();
	memset(&now, 0, sizeof(now));
	now.accepts = true;
	other_end = -1;
	input = data + 1;
	input_len = size - 1;
	FUZZ_CHECK(life_create() == 0);
	if (data[0] % 4 == 3)
		try_variable();
	else if (data[0] % 2)
		be_new();
	else
		be_old();
	life_destroy();
	FUZZ_CHECK(descriptors() == before);
	return 0;
}
