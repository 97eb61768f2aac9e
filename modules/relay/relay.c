/* SPDX-License-Identifier: MPL-2.0 */

/* relay - the Syncthing relay protocol: joins, invitations, sessions. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "relay/address/own_address.h"
#include "relay/commands/commands.h"
#include "relay/commands/follow.h"
#include "relay/commands/here.h"
#include "relay/data.h"
#include "relay/devices/device_drain.h"
#include "relay/devices/protocol_mode.h"
#include "relay/events.h"
#include "relay/messages/peer_connection.h"
#include "relay/metrics_table.h"
#include "relay/remote/remote.h"
#include "relay/remote/remote_probe.h"
#include "relay/requests/invitations.h"
#include "relay/service.h"
#include "relay/sessions/session_data.h"
#include "relay/sessions/session_mode.h"
#include "relay/settings.h"

#define ALPN "bep-relay"

static const char *const token_places[] = {
	[TOKEN_EVERYWHERE] = "everywhere", [TOKEN_PRIVATE] = "private", NULL};
static const char *const askers[] = {
	[ASKS_ANYONE] = "anyone", [ASKS_JOINED] = "joined", NULL};

static const struct relay_option options[] = {
	RELAY_OPT(struct relay_conf, network_timeout_ms, int64_t,
		"network-timeout", RELAY_DURATION, "2m", 100, 0,
		"how long a device or a session may be silent before it is "
		"closed",
		.flag = "network-timeout"),
	RELAY_OPT(struct relay_conf, ping_interval_ms, int64_t, "ping-interval",
		RELAY_DURATION, "1m", 100, 0,
		"how often joined devices are pinged", .flag = "ping-interval"),
	RELAY_OPT(struct relay_conf, message_timeout_ms, int64_t,
		"message-timeout", RELAY_DURATION, "1m", 100, 0,
		"how long a connection may take to send its first message, and "
		"a session may wait for both sides",
		.flag = "message-timeout"),
	RELAY_OPT(struct relay_conf, ext_address, const char *const *,
		"ext-address", RELAY_LIST, "", 0, ADVERTISE_ENTRIES,
		"the addresses to tell clients, HOST:PORT or :PORT, if they "
		"are not those at which the clients come in; AT=HOST:PORT only "
		"for clients that come in AT :PORT or ADDRESS:PORT",
		.flag = "ext-address", .flags = RELAY_OPTION_BASIC),
	RELAY_OPT(struct relay_conf, ext_lookup_ms, int64_t,
		"ext-address-lookup", RELAY_DURATION, "5m", 1000, 86400000,
		"how often a host name in ext-address is looked up again"),
	RELAY_OPT(struct relay_conf, ext_status, const char *, "ext-status",
		RELAY_STRING, "", 0, 0,
		"the status address to tell pools and clients, HOST:PORT or "
		":PORT, if it is not status-srv",
		.flag = "ext-status"),
	RELAY_OPT(struct relay_conf, provided_by, const char *, "provided-by",
		RELAY_STRING, "", 0, 30,
		"name of who runs the relay, shown to the public",
		.flag = "provided-by", .flags = RELAY_OPTION_BASIC),
	RELAY_OPT(struct relay_conf, token, const char *, "token", RELAY_STRING,
		"", 0, 0,
		"token that devices must send to join; a relay with a token "
		"joins no pool; requests for a device need no token, see asks",
		.flag = "token",
		.flags = RELAY_OPTION_SECRET | RELAY_OPTION_GUARD |
			 RELAY_OPTION_BASIC),
	RELAY_OPT(struct relay_conf, token_file, const char *, "token-file",
		RELAY_STRING, "", 0, 0,
		"file whose first line is the token, which keeps it out of the "
		"process list",
		.flag = "token-file",
		.flags = RELAY_OPTION_FILLED | RELAY_OPTION_BASIC),
	RELAY_OPT(struct relay_conf, token_at, int64_t, "token-at",
		RELAY_CHOICE, "everywhere", 0, 0,
		"where devices need the token: everywhere, or only at "
		"listeners that are private",
		.choices = token_places),
	RELAY_OPT(struct relay_conf, asks, int64_t, "asks", RELAY_CHOICE,
		"anyone", 0, 0,
		"who may request a device: anyone, or only devices that have "
		"joined and so have sent the token",
		.choices = askers),
	RELAY_OPT(struct relay_conf, park_asks_ms, int64_t, "park-asks",
		RELAY_DURATION, "1.5s", 0, 10000,
		"how long a request waits for a device that has just left, or "
		"for any device soon after a start; 0: it does not"),
	RELAY_OPT(struct relay_conf, pending_sessions, int64_t,
		"pending-sessions", RELAY_INT, "65536", 0, 10000000,
		"sessions that may wait for both sides; 0: no limit"),
	RELAY_OPT(struct relay_conf, pending_per_device, int64_t,
		"pending-per-device", RELAY_INT, "512", 0, 10000000,
		"waiting sessions that one device may have requested; 0: no "
		"limit"),
	RELAY_OPT(struct relay_conf, pending_per_source, int64_t,
		"pending-per-source", RELAY_INT, "1024", 0, 10000000,
		"waiting sessions that may have been requested from one IPv4 "
		"address or IPv6 /64, /56 or /48; beyond that the oldest is "
		"dropped; 0: no limit"),
	RELAY_OPT(struct relay_conf, invitations_per_asker, int64_t,
		"invitations-per-asker", RELAY_INT, "4", 0, 10000000,
		"waiting sessions with the same requested device that one "
		"device, or one source, may have requested; 0: no limit"),
	RELAY_OPT(struct relay_conf, invitations_per_device, int64_t,
		"invitations-per-device", RELAY_INT, "256", 0, 1024,
		"waiting sessions with the same requested device, in total; 0: "
		"no limit"),
	RELAY_OPT(struct relay_conf, messages_per_minute, int64_t,
		"messages-per-minute", RELAY_INT, "600", 0, 60000,
		"messages that one device may send, half of them at once, "
		"not counting answers to pings; 0: no limit"),
	RELAY_OPT(struct relay_conf, guest_timeout_ms, int64_t, "guest-timeout",
		RELAY_DURATION, "10s", 100, 0,
		"how long a connection without TLS may take to send its "
		"session key"),
	RELAY_OPT_END};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct relay_data *data = data_of(cx);

	if (id_hash_init() != 0)
		return relay_fail(err, "no random numbers for the hash tables");
	if (relay_conn_alpn(cx, ALPN) != 0)
		return relay_fail(err, "cannot offer %s by ALPN", ALPN);
	if (own_address_init(cx) != 0)
		return relay_fail(
			err, "the service " RELAY_SERVICE " is taken");
	if (relay_metrics_add(cx, relay_metric_table, RELAY_METRICS,
		    data->metrics, err) != 0 ||
		relay_commands_add(cx, list_commands, err) != 0 ||
		relay_commands_add(cx, kick_commands, err) != 0 ||
		relay_commands_add(cx, watch_commands, err) != 0 ||
		here_init(cx, err) != 0 || remote_init(cx, err) != 0)
		return -1;
	if (directory_init(&data->directory) != 0 ||
		session_list_init(&data->sessions) != 0 ||
		pending_init(&data->pending) != 0 ||
		parking_init(&data->parking) != 0 ||
		pthread_mutex_init(&data->lock, NULL) != 0)
		return relay_fail(err, "cannot make a mutex");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	if (own_address_load(cx, err) != 0 ||
		settings_prepare(cx, conf_of(cx), err) != 0)
		return -1;
	settings_commit(cx);
	return own_address_start(cx) == 0 ? 0
					  : relay_fail(err, "out of memory");
}

/* A shell makes an empty flag of "-token=$TOKEN" if the variable is not set.
 * That is no error, since the Go server accepts it. */
static void warn_of_empty_flag(struct relay_ctx *cx)
{
	struct relay_value token;

	if (relay_option_get(cx, "relay", "token", &token) == 0 &&
		!token.string[0] && strncmp(token.origin, "flag", 4) == 0)
		relay_log(cx, RELAY_WARNING,
			"the flag token is empty: every device may join; "
			"token-file refuses that");
}

static void ready(struct relay_ctx *cx)
{
	warn_of_empty_flag(cx);
	own_address_tell(cx);
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	if (own_address_prepare(cx, conf, err) != 0)
		return -1;
	if (settings_prepare(cx, conf, err) == 0)
		return 0;
	own_address_abandon(cx);
	return -1;
}

static void reload_commit(struct relay_ctx *cx)
{
	const struct join_token before = data_of(cx)->secret;

	settings_commit(cx);
	own_address_commit(cx);
	settings_log_token_change(cx, &before, &data_of(cx)->secret);
}

static void reload_abandon(struct relay_ctx *cx)
{
	settings_abandon(cx);
	own_address_abandon(cx);
}

static void fini(struct relay_ctx *cx)
{
	struct relay_data *data = data_of(cx);

	own_address_finish(cx);
	pending_finish(&data->pending);
	parking_finish(&data->parking);
	directory_finish(&data->directory);
	session_list_finish(&data->sessions);
	ranges_free(&data->exempt);
	pthread_mutex_destroy(&data->lock);
}

static void worker_stop(struct relay_ctx *cx)
{
	device_drain_finish(cx);
	remote_probe_finish(cx);
}

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	struct peer *peer = peer_of(cx, conn);

	(void)why;
	peer->opened_ms = relay_now_ms(cx);
	relay_conn_deadline(conn, conf_of(cx)->message_timeout_ms);
	return RELAY_PASS;
}

static enum relay_verdict reject(struct relay_ctx *cx, struct relay_denial *why,
	unsigned value, const char *word)
{
	count(cx, METRIC_REJECTED, value);
	why->refusal = RELAY_REFUSE_POLICY;
	why->word = word;
	return RELAY_DENY;
}

static enum relay_verdict conn_open(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	if (relay_conn_is_tls(conn) && relay_conn_peer_certs(conn) == 0)
		return reject(
			cx, why, REJECTED_NO_CERTIFICATE, "no-certificate");
	if (relay_conn_is_tls(conn) && relay_conn_peer_certs(conn) > 1)
		return reject(
			cx, why, REJECTED_CERTIFICATES, "several-certificates");
	relay_conn_keepalive(conn, conf_of(cx)->network_timeout_ms);
	if (relay_conn_is_tls(conn))
		protocol_opened(cx, conn);
	else
		guest_opened(cx, conn);
	return RELAY_TAKE;
}

static void conn_readable(struct relay_ctx *cx, struct relay_conn *conn)
{
	if (relay_conn_is_tls(conn))
		protocol_readable(cx, conn);
	else
		guest_readable(cx, conn);
}

static void conn_deadline(struct relay_ctx *cx, struct relay_conn *conn)
{
	if (relay_conn_is_tls(conn)) {
		protocol_deadline(cx, conn);
		return;
	}
	peer_log(cx, conn, "its session did not begin in time");
	peer_close(cx, conn, RELAY_END_TIMEOUT);
}

/* New timeouts begin now.  Else whoever is silent is not given more time, as
 * often as other options change.  The control thread waits meanwhile. */
static bool new_timeouts(struct relay_ctx *cx)
{
	return data_of(cx)->next.new_timeouts;
}

static void conn_reload(struct relay_ctx *cx, struct relay_conn *conn)
{
	if (relay_conn_is_tls(conn) && new_timeouts(cx))
		protocol_reload(cx, conn);
}

static void session_reload(struct relay_ctx *cx, struct relay_session *session)
{
	const struct peer *peer = peer_of(cx, relay_session_side(session, 0));

	if (peer && peer->state == PEER_PAIRED && new_timeouts(cx))
		relay_session_idle(session, conf_of(cx)->network_timeout_ms);
}

static void conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	struct peer *peer = peer_of(cx, conn);
	const char *protocol = relay_conn_protocol(conn);

	/* One that has joined "left", a session ends by itself, and another
	 * module's connection is not the relay's. */
	if (events_wanted(cx) &&
		(!protocol[0] || strcmp(protocol, "relay") == 0) &&
		peer->state != PEER_JOINED && peer->state != PEER_PAIRED &&
		reason != RELAY_END_MOVED)
		events_conn(
			cx, conn, "closed", relay_reason_word(reason), NULL);
	if (relay_conn_is_tls(conn))
		protocol_closed(cx, conn, reason);
	else
		guest_closed(cx, conn);
	reader_finish(&peer->reader);
	peer->state = PEER_GONE;
}

/* Of every protocol: commands list them. */
static enum relay_verdict session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	struct session_data *kept = relay_session_data(cx, session);

	(void)why;
	kept->began_ms = relay_now_ms(cx);
	kept->place.worker = cx->worker;
	kept->place.session = relay_session_id(session);
	session_list_add(&data_of(cx)->sessions, &kept->place);
	return RELAY_PASS;
}

static void session_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	struct session_data *kept = relay_session_data(cx, session);

	if (events_wanted(cx) && kept->serial)
		events_session(
			cx, session, "session ends", relay_reason_word(reason));
	if (kept->place.session)
		session_list_remove(&data_of(cx)->sessions, &kept->place);
	invitations_session_over(cx, session, kept);
	directory_unlink(&data_of(cx)->directory, &kept->part[0]);
	directory_unlink(&data_of(cx)->directory, &kept->part[1]);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("relay", "1.0", "the Syncthing relay protocol"),
	.options = options,
	.flags = RELAY_ESSENTIAL | RELAY_CONFINED,
	.conf_size = sizeof(struct relay_conf),
	.data_size = sizeof(struct relay_data),
	.worker_size = sizeof(struct relay_local),
	.conn_size = sizeof(struct peer),
	.session_size = sizeof(struct session_data),
	.check = settings_check,
	.init = init,
	.start = start,
	.ready = ready,
	.reload = own_address_tell,
	.fini = fini,
	.worker_stop = worker_stop,
	.hooks =
		{
			.conn_accept = conn_accept,
			.conn_open = conn_open,
			.conn_readable = conn_readable,
			.conn_deadline = conn_deadline,
			.session_open = session_open,
			.session_close = session_close,
			.conn_close = conn_close,
			.conn_reload = conn_reload,
			.session_reload = session_reload,
			.drain = device_drain_notice,
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
			.files_read = settings_files_read,
			.files_free = free,
			.advise = settings_advise_check,
		},
};
