/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Data that libconfuse's callbacks share while a configuration file is read.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <confuse.h>

#include "config/config_serialize.h"
#include "config/config_problems.h"
#include "config/config_section.h"
#include "config/config_source.h"
#include "config/config_text.h"

/* The value of a list that the file has not set yet.  Without it, a first +=
 * (the default and more) would look like =. */
#define CONFIG_UNTOUCHED "\001"

/* The items of a list, which arrive one by one.  Any other option has one
 * item. */
struct config_growing {
	char **items; /* owned */
	size_t count;
	bool given;
	const struct config_source *source;
	unsigned line;
};

/* The unknown word at which a pass ended. */
struct config_unknown {
	struct config_section *section;
	unsigned line;
	char *word; /* owned; NULL: there is none */
};

struct config_reader {
	/* borrowed; the first is the top level */
	struct config_section *sections;
	size_t count;
	struct config_sources sources;
	struct config_problems problems;
	cfg_opt_t *schema;             /* owned */
	struct config_growing **lists; /* owned: [section][option] */
	cfg_t *root;                   /* NULL unless a pass runs */
	struct config_source *source;  /* the one being parsed */
	unsigned depth;                /* of nested includes */
	unsigned includes;             /* so far in this pass */
	size_t included;               /* their bytes */
	struct config_unknown unknown;
};

/* Global, since libconfuse passes no argument to its callbacks; [C] only. */
extern struct config_reader *config_reader;

/* Adds a problem in the file being parsed; line 0: in the file as a whole. */
void config_problem(enum relay_level level, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
unsigned config_line(const cfg_t *cfg);
/* The section that cfg stands for; NULL: none. */
struct config_section *config_section_of(const cfg_t *cfg);

/* config_values.c: collects the values while the file is parsed. */

/* libconfuse's validation callbacks of options and of sections. */
int config_on_value(cfg_t *cfg, cfg_opt_t *opt);
int config_on_section_end(cfg_t *cfg, cfg_opt_t *opt);
/* libconfuse calls no callback for an empty list: finds the empty lists of a
 * complete section. */
void config_find_empty_lists(
	cfg_t *cfg, struct config_section *section, unsigned line);
/* 0, or -1 without memory. */
int config_lists_make(void);
/* Drops the values of the last pass. */
void config_values_forget(void);
/* Checks the lists after the last pass, when they are complete. */
void config_lists_judge(void);
/* Writes all valid values, and the origins of all. */
void config_values_hand_over(struct config_serializer *out);

/* config_titled.c */

/* The place of the listener that cfg stands for, which it takes if it is new.
 * NULL after a problem was reported. */
struct config_section *config_listener_of(const cfg_t *cfg);
/* A listener's section is complete: reports what is missing. */
void config_listener_judge(const struct config_section *section, unsigned line);
/* Lists for all options that a section has or may have; 0 or more. */
size_t config_section_room(const struct config_section *section);

/* config_unknown.c */

/* Reports the unknown word and blanks it.  Returns whether another pass is
 * useful. */
bool config_unknown_take(void);

#endif
