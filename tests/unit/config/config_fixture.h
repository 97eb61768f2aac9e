/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Configuration files in a directory for each test, and the reports of loading
 * them with the modules of sample_options.h.
 */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include <stddef.h>

#include "config/config.h"
#include "config/flags.h"

struct fixture {
	char dir[32];
	char file[64];   /* in dir */
	char told[8192]; /* "LEVEL: TEXT\n" of each report, without dir */
	struct config *config;
	struct flags flags;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* At the end, only a.conf, b.conf and c.conf are removed. */
void path_of(const struct fixture *f, const char *name, char out[128]);
void write_bytes(const struct fixture *f, const char *name, const void *bytes,
	size_t len);
void write_file(const struct fixture *f, const char *name, const char *text);

/* A config_report_fn; arg is the fixture. */
void tell(enum relay_level level, const char *text, void *arg);
/* Each loads with f->flags; the next three write the text to a.conf first. */
const struct config *load_path(struct fixture *f, const char *path);
const struct config *load(struct fixture *f, const char *text);
/* Expects no report. */
const struct config *load_good(struct fixture *f, const char *text);
void assert_told(struct fixture *f, const char *text, const char *want);

void set_flags(struct fixture *f, char *const *args);
#define FLAGS(f, ...) set_flags(f, (char *[]){__VA_ARGS__, NULL})

/* The origin of a value of f->config, without dir. */
const char *origin(struct fixture *f, const char *section, const char *name);
const struct relay_conf *relay_of(const struct config *config);
const struct log_conf *log_of(const struct config *config);

#endif
