/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of loading libcurl, with a library that lacks this or that. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <cmocka.h>

#include "shared/libcurl.h"

static bool installed;
static const char *lacks;
static unsigned version;
static CURLcode set_up;
static int opened, set_ups;

void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dlclose(void *handle);
char *__wrap_dlerror(void);

static curl_version_info_data *version_info(CURLversion age)
{
	static curl_version_info_data data = {.version = "7.0.0"};

	(void)age;
	data.version_num = version;
	return &data;
}

static CURLcode global_init(long flags)
{
	(void)flags;
	set_ups++;
	return set_up;
}

void *__wrap_dlopen(const char *name, int flags)
{
	(void)flags;
	assert_string_equal(name, "libcurl.so.4");
	if (!installed)
		return NULL;
	opened++;
	return &opened;
}

int __wrap_dlclose(void *handle)
{
	assert_ptr_equal(handle, &opened);
	opened--;
	return 0;
}

char *__wrap_dlerror(void)
{
	static char text[] = "no such file";

	return text;
}

void *__wrap_dlsym(void *handle, const char *name)
{
	curl_version_info_data *(*info)(CURLversion) = version_info;
	CURLcode (*init)(long) = global_init;
	void *found;

	assert_ptr_equal(handle, &opened);
	if (lacks && strcmp(name, lacks) == 0)
		return NULL;
	memcpy(&found, &init, sizeof(found));
	if (strcmp(name, "curl_version_info") == 0)
		memcpy(&found, &info, sizeof(found));
	return found;
}

static void refused(const char *why)
{
	struct relay_err err;

	assert_null(libcurl_get(&err));
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
	assert_int_equal(opened, 0);
}

/* The last part, since what is loaded stays. */
static void test_what_is_wrong_is_said_until_it_is_right(void **state)
{
	struct relay_err err;
	const struct libcurl *lib;

	(void)state;
	refused("cannot load libcurl: no such file; install libcurl4");
	installed = true;
	lacks = "curl_url_strerror";
	refused("has no curl_url_strerror; install libcurl4");
	lacks = NULL;
	version = 0x075600;
	refused("is of version 7.0.0; install libcurl4");
	version = 0x075700;
	set_up = CURLE_OUT_OF_MEMORY;
	refused("cannot set libcurl up");
	set_up = CURLE_OK;
	lib = libcurl_get(&err);
	assert_non_null(lib);
	assert_ptr_equal(lib->version_info, version_info);
	assert_int_equal(opened, 1);
	assert_ptr_equal(libcurl_get(&err), lib);
	assert_int_equal(opened, 1);
	assert_int_equal(set_ups, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_wrong_is_said_until_it_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
