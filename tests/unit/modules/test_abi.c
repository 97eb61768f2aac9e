/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The layout that modules built with version 1.0 of the API rely on, where
 * pointers have 64 bits.  A number here never changes while the major version
 * is 1.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <strelaysrv/hooks.h>
#include <strelaysrv/log.h>
#include <strelaysrv/metric.h>
#include <strelaysrv/module.h>
#include <strelaysrv/option.h>

#define AT(type, member, offset)                                               \
	_Static_assert(sizeof(void *) != 8 ||                                  \
			       offsetof(struct type, member) == (offset),      \
		#type "." #member " has moved")
#define SIZE(type, size)                                                       \
	_Static_assert(sizeof(void *) != 8 || sizeof(struct type) == (size),   \
		"the size of " #type " has changed")

AT(relay_ctx, mod, 0);
AT(relay_ctx, worker, 8);
AT(relay_ctx, conf, 16);
AT(relay_ctx, data, 24);
AT(relay_ctx, local, 32);

AT(relay_module_def, magic, 0);
AT(relay_module_def, abi_major, 4);
AT(relay_module_def, abi_minor, 6);
AT(relay_module_def, size, 8);
AT(relay_module_def, name, 16);
AT(relay_module_def, version, 24);
AT(relay_module_def, summary, 32);
AT(relay_module_def, options, 40);
AT(relay_module_def, flags, 48);
AT(relay_module_def, conf_size, 56);
AT(relay_module_def, data_size, 64);
AT(relay_module_def, worker_size, 72);
AT(relay_module_def, conn_size, 80);
AT(relay_module_def, session_size, 88);
AT(relay_module_def, check, 96);
AT(relay_module_def, init, 104);
AT(relay_module_def, start, 112);
AT(relay_module_def, ready, 120);
AT(relay_module_def, reload, 128);
AT(relay_module_def, stop, 136);
AT(relay_module_def, fini, 144);
AT(relay_module_def, worker_start, 152);
AT(relay_module_def, worker_stop, 160);

AT(relay_denial, refusal, 0);
AT(relay_denial, word, 8);

AT(relay_hooks, conn_accept, 0);
AT(relay_hooks, conn_open, 8);
AT(relay_hooks, conn_readable, 16);
AT(relay_hooks, conn_deadline, 24);
AT(relay_hooks, peer_join, 32);
AT(relay_hooks, peer_connect, 40);
AT(relay_hooks, peer_stay, 48);
AT(relay_hooks, session_open, 56);
AT(relay_hooks, session_grant, 64);
AT(relay_hooks, session_sent, 72);
AT(relay_hooks, session_close, 80);
AT(relay_hooks, conn_close, 88);
AT(relay_hooks, conn_reload, 96);
AT(relay_hooks, session_reload, 104);

AT(relay_option, name, 0);
AT(relay_option, type, 8);
AT(relay_option, offset, 16);
AT(relay_option, def, 24);
AT(relay_option, min, 32);
AT(relay_option, max, 40);
AT(relay_option, help, 48);
AT(relay_option, flag, 56);
AT(relay_option, flag_unit, 64);
AT(relay_option, choices, 72);
AT(relay_option, flags, 80);
AT(relay_option, successor, 88);

AT(relay_value, option, 0);
AT(relay_value, number, 8);
AT(relay_value, string, 16);
AT(relay_value, list, 24);
AT(relay_value, origin, 32);

AT(relay_metric_def, name, 0);
AT(relay_metric_def, unit, 8);
AT(relay_metric_def, help, 16);
AT(relay_metric_def, kind, 24);
AT(relay_metric_def, label, 32);
AT(relay_metric_def, values, 40);
AT(relay_metric_def, scale, 48);
AT(relay_metric_def, bounds, 56);
AT(relay_metric_def, read, 64);

AT(relay_sample, module, 0);
AT(relay_sample, def, 8);
AT(relay_sample, value_name, 16);
AT(relay_sample, value, 24);
AT(relay_sample, sum, 32);
AT(relay_sample, buckets, 40);

AT(relay_field, key, 0);
AT(relay_field, value, 8);

AT(relay_log_kind, due_ms, 0);
AT(relay_log_kind, left_out, 8);

AT(relay_log_record, time_us, 0);
AT(relay_log_record, level, 8);
AT(relay_log_record, component, 16);
AT(relay_log_record, text, 24);
AT(relay_log_record, fields, 32);

SIZE(relay_ctx, 40);
SIZE(relay_denial, 16);
SIZE(relay_option, 96);
SIZE(relay_value, 40);
SIZE(relay_metric_def, 72);
SIZE(relay_sample, 48);
SIZE(relay_field, 16);
SIZE(relay_log_kind, 16);
SIZE(relay_log_record, 40);

/* Members are added at the end only, so an old descriptor ends before them. */
static void grows_at_the_end(void **state)
{
	(void)state;
	if (sizeof(void *) != 8)
		skip();
	assert_true(offsetof(struct relay_module_def, hooks) +
			    sizeof(struct relay_hooks) >=
		    280);
	assert_int_equal(RELAY_ABI_MAJOR, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
