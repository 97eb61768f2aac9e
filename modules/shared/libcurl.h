/* SPDX-License-Identifier: MPL-2.0 */

/*
 * libcurl.h - loads libcurl when it is first needed.
 *
 * It depends on more than twenty libraries.  Loading them took longer than the
 * rest of the start, and a relay that joins no pool does not need them.
 */
#ifndef LIBCURL_H
#define LIBCURL_H

#include <curl/curl.h>

#include <strelaysrv/err.h>

#define LIBCURL_FUNCTIONS(X)                                                   \
	X(easy_cleanup)                                                        \
	X(easy_getinfo)                                                        \
	X(easy_init)                                                           \
	X(easy_reset)                                                          \
	X(easy_setopt)                                                         \
	X(easy_strerror)                                                       \
	X(free)                                                                \
	X(global_init)                                                         \
	X(multi_add_handle)                                                    \
	X(multi_assign)                                                        \
	X(multi_cleanup)                                                       \
	X(multi_info_read)                                                     \
	X(multi_init)                                                          \
	X(multi_remove_handle)                                                 \
	X(multi_setopt)                                                        \
	X(multi_socket_action)                                                 \
	X(slist_append)                                                        \
	X(slist_free_all)                                                      \
	X(url)                                                                 \
	X(url_cleanup)                                                         \
	X(url_get)                                                             \
	X(url_set)                                                             \
	X(url_strerror)                                                        \
	X(version_info)

/* Each member is curl_NAME, with the type from its header. */
struct libcurl {
#define LIBCURL_FIELD(name) __typeof__(&(curl_##name)) name;
	LIBCURL_FUNCTIONS(LIBCURL_FIELD)
#undef LIBCURL_FIELD
};

/*
 * [C] Loads and initializes it at the first call.  It stays loaded until the
 * process ends.  NULL with err naming what is missing.
 */
const struct libcurl *libcurl_get(struct relay_err *err);

#endif
