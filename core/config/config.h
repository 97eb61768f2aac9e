/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Configuration: flags over strelaysrv.conf over defaults, as one snapshot.
 *
 * A snapshot is immutable once made.  A reload makes another from the same
 * flags and the file as it is now.
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
 * The whole snapshot.  `file`: path of the file, NULL for none.  Every problem
 * is reported through `report` (one call each, text names file, line, option,
 * what was found and what is allowed); parsing goes on to find them all.
 * NULL if there was any.  Takes nothing over; frees with config_free().
 */
struct config *config_load(const char *file, const struct flags *flags,
	const struct config_module *mods, size_t n, config_report_fn *report,
	void *arg);
/*
 * The same, but tells what could be made of it also if there was a problem:
 * *good is false then, and what was wrong has its default.  NULL: no memory, or
 * a table is wrong.
 */
struct config *config_examine(const char *file, const struct flags *flags,
	const struct config_module *mods, size_t n, config_report_fn *report,
	void *arg, bool *good);
void config_free(struct config *config);

const struct core_conf *config_core(const struct config *config);
/* The filled struct of a module's options; NULL if the module is unknown. */
const void *config_module_values(const struct config *config, const char *name);
/* `required` of the module's section; true unless set to no. */
bool config_module_required(const struct config *config, const char *name);
/* Whether a value of its section was wrong, and the default stands for it. */
bool config_module_flawed(const struct config *config, const char *name);
/* section NULL: the server's own.  0 or -1.  A deprecated name gives the value
 * of its successor. */
int config_get(const struct config *config, const char *section,
	const char *name, struct relay_value *out);
/*
 * Gives an option of one snapshot the value, and its origin, of another made
 * of the same tables.  0, or -1 without memory.
 */
int config_hold(struct config *config, const struct config *as_in,
	const char *section, const char *name);
typedef void config_visit_fn(
	const char *section, const struct relay_value *value, void *arg);
/* Calls visit for each option of each section, in order, but deprecated ones.
 */
void config_visit(
	const struct config *config, config_visit_fn *visit, void *arg);
/* The same for one section; NULL: the server's own. */
void config_visit_section(const struct config *config, const char *name,
	config_visit_fn *visit, void *arg);

#endif
