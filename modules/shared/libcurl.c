/* SPDX-License-Identifier: MPL-2.0 */

/* Loads libcurl at run time. */

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "shared/libcurl.h"

/* The ABI version, unchanged since 2006. */
#define SONAME  "libcurl.so.4"
#define PACKAGE "libcurl4"

/* The oldest version with all options that requests set. */
#define OLDEST_NUM  0x075700
#define OLDEST_TEXT "7.87"

/* Global: the process loads the library once. */
static struct {
	struct libcurl functions;
	bool loaded;
} lib;

struct symbol {
	const char *name;
	size_t offset;
};

static const struct symbol symbols[] = {
#define LIBCURL_SYMBOL(name) {"curl_" #name, offsetof(struct libcurl, name)},
	LIBCURL_FUNCTIONS(LIBCURL_SYMBOL)
#undef LIBCURL_SYMBOL
};

/*
 * Object and function pointers have the same representation here, as dlsym()
 * requires.
 */
static int find_all(void *handle, struct relay_err *err)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *found = dlsym(handle, symbols[i].name);

		if (!found)
			return relay_fail(err,
				SONAME " has no %s; install " PACKAGE
				       " " OLDEST_TEXT " or newer",
				symbols[i].name);
		memcpy((char *)&lib.functions + symbols[i].offset, &found,
			sizeof(found));
	}
	return 0;
}

static int set_up(struct relay_err *err)
{
	const curl_version_info_data *info =
		lib.functions.version_info(CURLVERSION_NOW);

	if (info->version_num < OLDEST_NUM)
		return relay_fail(err,
			SONAME " is of version %s; install " PACKAGE
			       " " OLDEST_TEXT " or newer",
			info->version);
	if (lib.functions.global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return relay_fail(err, "cannot set libcurl up");
	return 0;
}

const struct libcurl *libcurl_get(struct relay_err *err)
{
	void *handle;
	const char *why;

	if (lib.loaded)
		return &lib.functions;
	/* Lazy binding: only few functions of its libraries are ever called. */
	handle = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL);
	if (!handle) {
		why = dlerror();
		relay_fail(err, "cannot load libcurl: %s; install " PACKAGE,
			why ? why : "?");
		return NULL;
	}
	if (find_all(handle, err) != 0 || set_up(err) != 0) {
		(void)dlclose(handle);
		return NULL;
	}
	lib.loaded = true;
	return &lib.functions;
}
