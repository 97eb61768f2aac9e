/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the callbacks of libconfuse share while a configuration file is read.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <confuse.h>

#include "config/config_flat.h"
#include "config/config_problems.h"
#include "config/config_section.h"
#include "config/config_source.h"
#include "config/config_text.h"

/* Stands in a list that the file says nothing about.  Without it, += in the
 * first place (the default and more) would look like =. */
#define CONFIG_UNTOUCHED "\001"

/* A list while its items come in, one by one; any other value is one item. */
struct config_growing {
	char **items; /* owned */
	size_t count;
	bool given;
	const struct config_source *source;
	unsigned line;
};

/* The word at which a pass ended because no table has it. */
struct config_unknown {
	struct config_section *section;
	unsigned line;
	char *word; /* owned; NULL: there is none */
};

struct config_reader {
	struct config_section *sections; /* borrowed; the first is the top */
	size_t count;
	struct config_sources sources;
	struct config_problems problems;
	cfg_opt_t *schema;             /* owned */
	struct config_growing **lists; /* owned: [section][option] */
	cfg_t *root;                   /* while a pass runs, else NULL */
	struct config_source *source;  /* that is parsed now */
	unsigned depth;                /* of includes */
	struct config_unknown unknown;
};

/* libconfuse hands nothing of ours to its callbacks; [C] only. */
extern struct config_reader *config_reader;

/* A problem in the file that is parsed now; line 0: in the file as a whole. */
void config_problem(enum relay_level level, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
unsigned config_line(const cfg_t *cfg);
/* NULL: cfg is no section of ours. */
struct config_section *config_section_of(const cfg_t *cfg);

/* config_values.c: what the file says, kept as it comes. */

/* libconfuse's validation callbacks of options and of sections. */
int config_on_value(cfg_t *cfg, cfg_opt_t *opt);
int config_on_section_end(cfg_t *cfg, cfg_opt_t *opt);
/* An empty list calls nothing back: looks for those of a complete section. */
void config_find_empty_lists(
	cfg_t *cfg, struct config_section *section, unsigned line);
/* 0, or -1 without memory. */
int config_lists_make(void);
/* Forgets what the last pass found. */
void config_values_forget(void);
/* Lists are judged when they are complete: after the last pass. */
void config_lists_judge(void);
/* What was found good, and where all came from. */
void config_values_hand_over(struct config_flat_out *out);

/* config_unknown.c */

/* Tells the unknown word and cuts it out.  Whether it is worth another pass. */
bool config_unknown_take(void);

#endif
