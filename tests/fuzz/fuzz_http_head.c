/* SPDX-License-Identifier: MPL-2.0 */

/* Fuzzes the heads of HTTP requests, in one piece and in two. */

#include "fuzz.h"
#include "http/http_head.h"

static void check_text(const char *text, const char *data, size_t len)
{
	FUZZ_CHECK(text >= data && text < data + len);
	FUZZ_CHECK(memchr(text, '\0', (size_t)(data + len - text)));
}

static void check_parts(const struct http_head *head, char *data, size_t len)
{
	FUZZ_CHECK(head->minor >= 0 && head->minor <= 9);
	FUZZ_CHECK(head->count <= HTTP_FIELDS_MAX);
	check_text(head->method, data, len);
	check_text(head->path, data, len);
	for (size_t i = 0; i < head->count; i++) {
		check_text(head->fields[i].name, data, len);
		check_text(head->fields[i].value, data, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head head;
	char *copy = fuzz_text(data, size);
	size_t half = size / 2;
	int end = http_head_end(copy, size, 0);
	int status;

	FUZZ_CHECK(end >= -1 && end <= (int)size);
	if (http_head_end(copy, half, 0) == 0)
		FUZZ_CHECK(http_head_end(copy, size, half) == end);
	if (end > 0) {
		char *exact = malloc((size_t)end);

		FUZZ_CHECK(exact);
		memcpy(exact, copy, (size_t)end);
		status = http_head_parse(exact, (size_t)end, &head);
		FUZZ_CHECK(status == 0 || (status >= 400 && status <= 505));
		if (status == 0)
			check_parts(&head, exact, (size_t)end);
		free(exact);
	}
	free(copy);
	return 0;
}
