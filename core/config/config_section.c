/* SPDX-License-Identifier: MPL-2.0 */

/* What one section of a snapshot owns. */

#include <stdlib.h>

#include "config/config_section.h"
#include "config/options.h"

int config_section_fill(struct config_section *section, struct relay_err *err)
{
	section->count = options_count(section->options);
	section->required = true;
	/* One byte more than needed, since calloc(0) may return NULL. */
	section->values = calloc(1, section->conf_size + 1);
	section->origins =
		calloc(section->count + 1, sizeof(*section->origins));
	if (!section->values || !section->origins)
		(void)relay_fail(err, "out of memory");
	else if (options_defaults(section->options, section->values, err) == 0)
		return 0;
	section->options = NULL;
	section->count = 0;
	return -1;
}

void config_section_empty(struct config_section *section)
{
	if (section->values)
		options_clear(section->options, section->values);
	for (size_t i = 0; i < section->count; i++)
		free(section->origins[i]);
	free(section->origins);
	free(section->values);
	section->origins = NULL;
	section->values = NULL;
	section->count = 0;
}
