/* SPDX-License-Identifier: MPL-2.0 */

/* Finds the listener whose section is being read, and judges the section. */

#include <string.h>

#include "config/config_listeners.h"
#include "config/config_reader.h"
#include "config/options.h"

struct config_section *config_listener_of(const cfg_t *cfg)
{
	struct config_section *place = NULL;
	struct relay_err err;
	bool wrong;

	for (size_t i = 1; i < config_reader->count; i++) {
		struct config_section *one = &config_reader->sections[i];

		if (one->title && strcmp(one->title, cfg->title) == 0)
			return one;
		if (one->listener && !one->title && !place)
			place = one;
	}
	if (!place) {
		config_problem(RELAY_ERROR, config_line(cfg),
			"there are more than %d listeners", CORE_LISTENERS_MAX);
		return NULL;
	}
	/* With a wrong name its options are read nevertheless, to find all
	 * problems. */
	wrong = config_listener_name_check(cfg->title, &err) != 0;
	if (wrong)
		config_problem(RELAY_ERROR, config_line(cfg), "%s", err.text);
	if (config_listener_open(place, cfg->title, &err) == 0) {
		place->flawed = wrong;
		return place;
	}
	config_reader->problems.no_memory = true;
	return NULL;
}

void config_listener_judge(const struct config_section *section, unsigned line)
{
	const struct relay_option *address =
		options_find(section->options, "address");
	size_t at = (size_t)(address - section->options);
	struct config_growing *value =
		&config_reader->lists[section - config_reader->sections][at];

	if (section->flawed)
		return;
	if (!value->given || !value->items[0][0])
		config_problem(RELAY_ERROR, line,
			"listener %s has no address; write address = "
			"\"HOST:PORT\" or \":PORT\" in its section",
			section->title);
	else if (strchr(value->items[0], ',')) {
		config_problem(RELAY_ERROR, line,
			"listener %s: its address has a comma; a listener has "
			"one address, so write a section for each",
			section->title);
		value->given = false; /* nothing else is to be said of it */
	}
}

size_t config_section_room(const struct config_section *section)
{
	return section->listener ? options_count(listener_options)
				 : section->count;
}
