/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a module saw that was built with the headers of API 1.6, before answers
 * that come later: the parts of them that old-module.c uses, as they were.
 * Never change this to follow the headers of today.
 */
#ifndef API_1_6_H
#define API_1_6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct relay_conn;
struct relay_module;
struct relay_session;

struct relay_ctx {
	struct relay_module *mod;
	int worker;
	const void *conf;
	void *data;
	void *local;
};

struct relay_err {
	char text[256];
};
int relay_fail(struct relay_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

enum relay_level {
	RELAY_ERROR,
	RELAY_WARNING,
	RELAY_NOTICE,
};
void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

enum relay_option_type {
	RELAY_BOOL,
	RELAY_INT,
	RELAY_SIZE,
	RELAY_RATE,
	RELAY_DURATION,
	RELAY_STRING,
};
struct relay_option {
	const char *name;
	enum relay_option_type type;
	size_t offset;
	const char *def;
	int64_t min;
	int64_t max;
	const char *help;
	const char *flag;
	const char *flag_unit;
	const char *const *choices;
	uint32_t flags;
	const char *successor;
};

enum relay_metric_kind { RELAY_COUNTER, RELAY_GAUGE, RELAY_HISTOGRAM };
struct relay_metric;
struct relay_metric_def {
	const char *name;
	const char *unit;
	const char *help;
	enum relay_metric_kind kind;
	const char *label;
	const char *const *values;
	int64_t scale;
	const int64_t *bounds;
	int64_t (*read)(struct relay_ctx *cx, unsigned value);
};
struct relay_metric *relay_metric_add(
	struct relay_ctx *cx, const struct relay_metric_def *def);
void relay_metric_inc(const struct relay_ctx *cx, struct relay_metric *metric,
	unsigned value, int64_t by);

enum relay_verdict {
	RELAY_PASS = 1,
	RELAY_DENY = 2,
	RELAY_TAKE = 3,
};
enum relay_refusal {
	RELAY_REFUSE_POLICY,
	RELAY_REFUSE_FULL,
};
struct relay_denial {
	enum relay_refusal refusal;
	const char *word;
};
enum relay_reason {
	RELAY_END_EOF,
	RELAY_END_RESET,
	RELAY_END_TIMEOUT,
	RELAY_END_TLS,
	RELAY_END_DENIED,
};
enum relay_try {
	RELAY_TRY_JOIN,
	RELAY_TRY_CONNECT,
};
enum relay_drain {
	RELAY_DRAIN_NONE,
};

typedef enum relay_verdict relay_conn_filter_fn(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);
typedef void relay_conn_notice_fn(
	struct relay_ctx *cx, struct relay_conn *conn);

struct relay_hooks {
	relay_conn_filter_fn *conn_accept;
	relay_conn_filter_fn *conn_open;
	relay_conn_notice_fn *conn_readable;
	relay_conn_notice_fn *conn_deadline;
	enum relay_verdict (*peer_join)(struct relay_ctx *cx,
		struct relay_conn *conn, const char *token,
		struct relay_denial *why);
	enum relay_verdict (*peer_connect)(struct relay_ctx *cx,
		struct relay_conn *conn, const uint8_t *target,
		struct relay_denial *why);
	relay_conn_filter_fn *peer_stay;
	enum relay_verdict (*session_open)(struct relay_ctx *cx,
		struct relay_session *session, struct relay_denial *why);
	size_t (*session_grant)(struct relay_ctx *cx,
		struct relay_session *session, int from, size_t len,
		unsigned *wait_ms);
	void (*session_sent)(struct relay_ctx *cx,
		struct relay_session *session, int from, size_t len);
	void (*session_close)(struct relay_ctx *cx,
		struct relay_session *session, enum relay_reason reason);
	void (*conn_close)(struct relay_ctx *cx, struct relay_conn *conn,
		enum relay_reason reason);
	relay_conn_notice_fn *conn_reload;
	void (*session_reload)(
		struct relay_ctx *cx, struct relay_session *session);
	int64_t (*drain)(struct relay_ctx *cx, enum relay_drain how);
	relay_conn_notice_fn *conn_settled;
	enum relay_verdict (*peer_try)(struct relay_ctx *cx,
		struct relay_conn *conn, enum relay_try what,
		struct relay_denial *why);
	void (*peer_failed)(struct relay_ctx *cx, struct relay_conn *conn,
		enum relay_try what);
	int (*reload_prepare)(
		struct relay_ctx *cx, const void *conf, struct relay_err *err);
	void (*reload_commit)(struct relay_ctx *cx);
	void (*reload_abandon)(struct relay_ctx *cx);
	int (*files_read)(
		const void *conf, void **files, struct relay_err *err);
	void (*files_free)(void *files);
	void (*advise)(struct relay_ctx *cx, const void *conf);
};

void *relay_files(const struct relay_ctx *cx, const void *conf);
const char *relay_reason_word(enum relay_reason reason);
enum relay_verdict relay_ask_join(struct relay_ctx *cx, struct relay_conn *conn,
	const char *token, struct relay_denial *why);
enum relay_verdict relay_ask_try(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_try what, struct relay_denial *why);
void relay_tell_failed(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_try what);

void *relay_conn_data(
	const struct relay_ctx *cx, const struct relay_conn *conn);
uint64_t relay_conn_id(const struct relay_conn *conn);
struct relay_conn *relay_conn_find(struct relay_ctx *cx, uint64_t id);
bool relay_conn_is_tls(const struct relay_conn *conn);
ssize_t relay_conn_read(struct relay_conn *conn, void *buf, size_t len);
int relay_conn_write(struct relay_conn *conn, const void *buf, size_t len);
void relay_conn_deadline(struct relay_conn *conn, int64_t after_ms);
void relay_conn_close(struct relay_conn *conn, enum relay_reason reason);
void relay_conn_move(struct relay_ctx *cx, struct relay_conn *conn, int worker,
	void (*then)(
		struct relay_ctx *cx, struct relay_conn *conn, const void *arg),
	const void *arg, size_t len);
struct relay_session *relay_session_pair(struct relay_ctx *cx,
	struct relay_conn *a, struct relay_conn *b, int64_t idle_ms);
void *relay_session_data(
	const struct relay_ctx *cx, const struct relay_session *session);

struct relay_module_def {
	uint32_t magic;
	uint16_t abi_major;
	uint16_t abi_minor;
	size_t size;
	const char *name;
	const char *version;
	const char *summary;
	const struct relay_option *options;
	uint32_t flags;
	size_t conf_size;
	size_t data_size;
	size_t worker_size;
	size_t conn_size;
	size_t session_size;
	int (*check)(const void *conf, struct relay_err *err);
	int (*init)(struct relay_ctx *cx, struct relay_err *err);
	int (*start)(struct relay_ctx *cx, struct relay_err *err);
	void (*ready)(struct relay_ctx *cx);
	void (*reload)(struct relay_ctx *cx);
	void (*stop)(struct relay_ctx *cx);
	void (*fini)(struct relay_ctx *cx);
	int (*worker_start)(struct relay_ctx *cx, struct relay_err *err);
	void (*worker_stop)(struct relay_ctx *cx);
	struct relay_hooks hooks;
};

#define RELAY_ABI_MAGIC 0x524c594dU
#define RELAY_CONFINED  4U

#endif
