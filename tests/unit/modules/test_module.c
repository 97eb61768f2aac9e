/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of which descriptors of modules are refused, and why. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "modules/module.h"

static struct relay_module_def def;
static struct relay_err err;

static int setup(void **state)
{
	(void)state;
	def = (struct relay_module_def){
		.magic = RELAY_ABI_MAGIC,
		.abi_major = RELAY_ABI_MAJOR,
		.abi_minor = RELAY_ABI_MINOR,
		.size = sizeof(def),
		.name = "test",
		.version = "1.0",
		.summary = "Is judged.",
	};
	return 0;
}

/* What it is refused for, of so many bytes; NULL: it is not. */
static const char *refused(size_t symbol_size)
{
	return module_judge(&def, symbol_size, "test", &err) ? err.text : NULL;
}

static void assert_refused(size_t symbol_size, const char *why)
{
	const char *text = refused(symbol_size);

	if (!text || !strstr(text, why))
		fail_msg("wanted \"%s\", got \"%s\"", why,
			text ? text : "no refusal");
}

static void a_descriptor_without_a_size_is_none(void **state)
{
	const size_t head =
		offsetof(struct relay_module_def, size) + sizeof(def.size);

	(void)state;
	assert_refused(0, "is no descriptor");
	assert_refused(head - 1, "is no descriptor");
	assert_refused(head, "gives its own size as");
}

static void what_its_size_may_be(void **state)
{
	const size_t least = offsetof(struct relay_module_def, hooks);

	(void)state;
	assert_null(refused(sizeof(def)));
	assert_null(refused(sizeof(def) + 1));
	assert_refused(sizeof(def) - 1, "gives its own size as");
	def.size = least;
	assert_null(refused(least));
	def.size = least - 1;
	assert_refused(sizeof(def), "gives its own size as");
	def.size = sizeof(def) + 1;
	assert_refused(sizeof(def) + 1, "gives its own size as");
}

static void versions_are_compared(void **state)
{
	(void)state;
	def.abi_minor = 0;
	assert_null(refused(sizeof(def)));
	def.abi_minor = RELAY_ABI_MINOR + 1;
	assert_refused(sizeof(def), "it needs a newer server");
	def.abi_major++;
	assert_refused(sizeof(def), "it must be built again");
	def.magic++;
	assert_refused(sizeof(def), "it is no descriptor");
}

static void blocks_have_a_largest_size(void **state)
{
	(void)state;
	def.conn_size = def.session_size = 1 << 16;
	def.conf_size = def.data_size = def.worker_size = (size_t)1 << 30;
	assert_null(refused(sizeof(def)));
	def.conn_size++;
	assert_refused(sizeof(def), "conn_size 65537");
	def.conn_size--;
	def.session_size++;
	assert_refused(sizeof(def), "session_size 65537");
	def.session_size--;
	def.worker_size++;
	assert_refused(sizeof(def), "worker_size 1073741825");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, setup)
		T(a_descriptor_without_a_size_is_none),
		T(what_its_size_may_be),
		T(versions_are_compared),
		T(blocks_have_a_largest_size),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
