/* SPDX-License-Identifier: MPL-2.0 */

/* cplusplus: a module in C++20, which counts connections. */

#include <atomic>
#include <memory>
#include <string>

#include <event2/buffer.h>

#include <strelaysrv/module.h>
#include <strelaysrv/query.h>
#include <strelaysrv/units.h>

namespace
{

struct conf {
	const char *word;
	int64_t step;
};

struct counts {
	std::atomic<int64_t> seen{0};
};

/* The server's block of zeroes; init and fini make and delete what it has. */
struct data {
	counts *owned;
};

const struct relay_option options[] = {
	RELAY_OPT(struct conf, word, const char *, "word", RELAY_STRING, "seen",
		1, 20, "what the page says"),
	RELAY_OPT(struct conf, step, int64_t, "step", RELAY_INT, "1", 1, 9,
		"how much a connection counts", .flag = "count-by"),
	RELAY_OPT_END,
};

counts &counts_of(struct relay_ctx *cx)
{
	return *static_cast<data *>(cx->data)->owned;
}

int64_t read_seen(struct relay_ctx *cx, unsigned)
{
	return counts_of(cx).seen;
}

const struct relay_metric_def seen = {.name = "seen",
	.unit = "",
	.help = "Connections so far.",
	.kind = RELAY_GAUGE,
	.read = read_seen};

void page(struct relay_ctx *cx, struct relay_http *http)
{
	const auto *options_now = static_cast<const conf *>(cx->conf);
	std::string text = options_now->word;

	text += ' ' + std::to_string(counts_of(cx).seen) + '\n';
	evbuffer_add(http->body, text.data(), text.size());
}

int init(struct relay_ctx *cx, struct relay_err *err) noexcept
{
	auto made = std::make_unique<counts>();

	if (relay_metrics_add(cx, &seen, 1, nullptr, err) != 0)
		return -1;
	if (relay_http_route(cx, "/cplusplus", page) != 0)
		return relay_fail(err, "the route is taken");
	static_cast<data *>(cx->data)->owned = made.release();
	return 0;
}

void fini(struct relay_ctx *cx) noexcept
{
	delete static_cast<data *>(cx->data)->owned;
}

enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *, struct relay_denial *)
{
	counts_of(cx).seen += static_cast<const conf *>(cx->conf)->step;
	return RELAY_PASS;
}

} // namespace

RELAY_MODULE = {
	RELAY_MODULE_INFO("cplusplus", "1", "counts connections, in C++"),
	.options = options,
	.conf_size = sizeof(conf),
	.data_size = sizeof(data),
	.init = init,
	.fini = fini,
	.hooks = {.conn_accept = conn_accept},
};
