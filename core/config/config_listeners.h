/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The sections `listener "NAME" { ... }` of the file: addresses to listen on
 * that have a name and options of their own.
 *
 * How many there are is known when the file is read, so each snapshot has
 * CORE_LISTENERS_MAX places for them, as its last sections.  A place that is
 * taken is a section as those of modules, whose name is "listener NAME".
 */
#ifndef CONFIG_LISTENERS_H
#define CONFIG_LISTENERS_H

#include <stdbool.h>

#include "config/config_section.h"

#define CONFIG_LISTENER "listener"

struct config_report;

/* The values of such a section. */
struct listener_conf {
	const char *address;
	bool proxy;
	const char *const *proxy_from; /* none: those of the top level */
	bool guarded;
	const char *protocol;
	int64_t max_connections;
};
extern const struct relay_option listener_options[]; /* as core_options */

/* Whether a section of this name is that of a listener; NULL: it is not. */
bool config_is_listener(const char *section);
/* Marks CORE_LISTENERS_MAX sections as places. */
void config_listeners_reserve(struct config_section *places);

/* What is wrong with a listener's name: 0, or -1 with err. */
int config_listener_name_check(const char *name, struct relay_err *err);
/* Takes a free place for the listener of that name.  0, or -1 with err, then
 * the place is still free. */
int config_listener_open(
	struct config_section *place, const char *name, struct relay_err *err);
/* Frees a place, which may be free already. */
void config_listener_close(struct config_section *place);

/*
 * Makes `listeners` of the server's own options, sections[0], from them and the
 * places among all `n` sections.  If there are any and `listen` is not set, its
 * default does not count, and it becomes empty.
 */
void config_listeners_make(
	struct config_section *sections, size_t n, struct config_report *to);

#endif
