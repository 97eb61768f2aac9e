/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The configuration as one snapshot: flags override strelaysrv.conf, which
 * overrides defaults.
 *
 * A snapshot is immutable once made.  A reload makes a new one from the same
 * flags and the file as it is then.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/option.h>

#include "config/schema.h"

struct flags; /* the parsed command line, see flags.h */
struct config;

/*
 * Makes a snapshot.  `file`: the path of the file; NULL: none.  Calls `report`
 * once for each problem; the text names file, line, option, what was found and
 * what is allowed.  Parsing continues after a problem, to find all of them.
 * NULL if there was an error.  Borrows all arguments.  The caller frees the
 * snapshot with config_free().
 */
struct config *config_load(const char *file, const struct flags *flags,
	const struct config_module *mods, size_t n, config_report_fn *report,
	void *arg);
/*
 * The same, but returns the snapshot also after an error: then *good is false,
 * and wrong options have their defaults.  NULL: no memory, or an option table
 * is wrong.
 */
struct config *config_examine(const char *file, const struct flags *flags,
	const struct config_module *mods, size_t n, config_report_fn *report,
	void *arg, bool *good);
/* Accepts NULL.  [*] */
void config_free(struct config *config);
/* Adds a reference, which config_free() releases.  [*] */
struct config *config_keep(struct config *config);

const struct core_conf *config_core(const struct config *config);
/* The struct with the values of a module's options; NULL if the module is
 * unknown. */
const void *config_module_values(const struct config *config, const char *name);
/* `required` of the module's section; true unless set to no. */
bool config_module_required(const struct config *config, const char *name);
/* Whether its section has options besides `required`, although the module's
 * options are unknown. */
bool config_module_unchecked(const struct config *config, const char *name);
/* Whether a value in its section was wrong, so that the default replaces it. */
bool config_module_flawed(const struct config *config, const char *name);
/* Reads an option; section NULL: the server's own.  0 or -1.  A deprecated name
 * gives the value of its successor. */
int config_get(const struct config *config, const char *section,
	const char *name, struct relay_value *out);
/* Copies an option's value and origin from another snapshot, which was made
 * from the same tables.  0, or -1 without memory. */
int config_hold(struct config *config, const struct config *as_in,
	const char *section, const char *name);
typedef void config_visit_fn(
	const char *section, const struct relay_value *value, void *arg);
/* Calls visit for each option of each section, in order, except deprecated
 * ones. */
void config_visit(
	const struct config *config, config_visit_fn *visit, void *arg);
/* The same for one section; NULL: the server's own. */
void config_visit_section(const struct config *config, const char *name,
	config_visit_fn *visit, void *arg);

#endif
