/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the search for gateways, with a simulated network and clock. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "ssdp.h"

#define KIND   "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
#define HEAD   "HTTP/1.1 200 OK\r\nST: " KIND "\r\n"
#define END_MS 2500 /* of a search */
#define SENT   64

struct heard {
	const char *from, *text;
};

static const struct heard *heard; /* what comes; the last has no text */
static int64_t now_ms;
static struct {
	char to[INET6_ADDRSTRLEN];
	uint16_t port;
	char text[512];
} sent[SENT];
static unsigned sent_count, found_count;
static struct url found;
static struct refusals refusals;

int __wrap_clock_gettime(clockid_t id, struct timespec *now);

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	assert_int_equal(id, CLOCK_MONOTONIC);
	now->tv_sec = now_ms / 1000;
	now->tv_nsec = now_ms % 1000 * 1000000;
	return 0;
}

int __wrap_socket(int family, int type, int protocol);
int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
	const struct sockaddr *to, socklen_t to_len);
ssize_t __wrap_recvfrom(int fd, void *out, size_t room, int flags,
	struct sockaddr *from, socklen_t *from_len);

int __wrap_socket(int family, int type, int protocol)
{
	(void)family;
	(void)type;
	(void)protocol;
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	return 0;
}

/* Each answer takes a while. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	(void)fds;
	assert_int_equal(count, 1);
	assert_true(timeout > 0);
	now_ms += heard->text ? 1 : timeout;
	return heard->text ? 1 : 0;
}

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
	const struct sockaddr *to, socklen_t to_len)
{
	const struct sockaddr_in *in = (const void *)to;
	const struct sockaddr_in6 *in6 = (const void *)to;
	const void *address = to->sa_family == AF_INET
				      ? (const void *)&in->sin_addr
				      : &in6->sin6_addr;

	(void)fd;
	(void)flags;
	(void)to_len;
	assert_true(sent_count < SENT && len < sizeof(sent[0].text));
	assert_non_null(inet_ntop(to->sa_family, address, sent[sent_count].to,
		sizeof(sent[0].to)));
	sent[sent_count].port = ntohs(in->sin_port);
	memcpy(sent[sent_count].text, data, len);
	sent[sent_count++].text[len] = '\0';
	return (ssize_t)len;
}

ssize_t __wrap_recvfrom(int fd, void *out, size_t room, int flags,
	struct sockaddr *from, socklen_t *from_len)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	size_t len = strlen(heard->text);

	(void)fd;
	(void)flags;
	assert_true(len <= room && sizeof(in) <= *from_len);
	assert_int_equal(inet_pton(AF_INET, heard->from, &in.sin_addr), 1);
	memcpy(from, &in, sizeof(in));
	*from_len = sizeof(in);
	memcpy(out, heard->text, len);
	heard++;
	return (ssize_t)len;
}

static bool take(const struct url *description, void *arg)
{
	assert_ptr_equal(arg, &found);
	found = *description;
	found_count++;
	return true;
}

static bool take_none(const struct url *description, void *arg)
{
	(void)take(description, arg);
	return false;
}

static int search(int family, bool (*each)(const struct url *, void *),
	const struct heard *answers)
{
	static const char *const kinds[] = {KIND, "other", NULL};
	struct hosts gateways = {.count = 1};
	struct relay_err err;
	const struct ssdp ssdp = {
		.family = family,
		.local = "",
		.kinds = kinds,
		.hosts = &gateways,
		.end_ms = END_MS,
		.refusals = &refusals,
		.each = each,
		.arg = &found,
	};

	assert_int_equal(host_read("192.0.2.1", 0, &gateways.list[0]), 0);
	memset(&refusals, 0, sizeof(refusals));
	now_ms = 0;
	sent_count = found_count = 0;
	heard = answers;
	return ssdp_search(&ssdp, &err);
}

static unsigned sent_to(const char *to, const char *kind)
{
	unsigned count = 0;
	char line[128];

	(void)snprintf(line, sizeof(line), "\r\nST: %s\r\n", kind);
	for (unsigned i = 0; i < sent_count; i++)
		count += strcmp(sent[i].to, to) == 0 && sent[i].port == 1900 &&
			 strncmp(sent[i].text, "M-SEARCH * HTTP/1.1\r\n", 21) ==
				 0 &&
			 strstr(sent[i].text, line);
	return count;
}

static const struct heard silence[] = {{NULL, NULL}};

/* At 0, 1 and 2 s. */
static void all_are_asked_and_the_gateway_itself(void **state)
{
	(void)state;
	assert_int_equal(search(AF_INET, take, silence), -1);
	assert_int_equal(now_ms, END_MS);
	assert_int_equal(sent_to("239.255.255.250", KIND), 3);
	assert_int_equal(sent_to("239.255.255.250", "other"), 3);
	assert_int_equal(sent_to("192.0.2.1", KIND), 3);
	assert_int_equal(sent_to("192.0.2.1", "other"), 3);
	assert_int_equal(sent_count, 12);
}

static void both_groups_of_ipv6_are_asked(void **state)
{
	(void)state;
	assert_int_equal(search(AF_INET6, take, silence), -1);
	assert_int_equal(sent_to("ff02::c", KIND), 3);
	assert_int_equal(sent_to("ff05::c", KIND), 3);
	assert_int_equal(sent_count, 12);
}

static void an_answer_without_a_location_ends_no_search(void **state)
{
	static const struct heard answers[] = {
		{"192.0.2.1", HEAD "\r\n"},
		{"192.0.2.1", "NOTIFY * HTTP/1.1\r\nLOCATION: "
			      "http://192.0.2.1/no\r\n\r\n"},
		{"192.0.2.1", ""},
		{"192.0.2.1", HEAD
			"Location: \thttp://192.0.2.1:5000/all.xml \r\n\r\n"},
		{NULL, NULL},
	};

	(void)state;
	assert_int_equal(search(AF_INET, take, answers), 0);
	assert_int_equal(found_count, 1);
	assert_int_equal(found.port, 5000);
	assert_string_equal(found.path, "/all.xml");
}

static void other_hosts_are_refused(void **state)
{
	static const struct heard answers[] = {
		{"192.0.2.9", HEAD "LOCATION: http://192.0.2.9/\r\n\r\n"},
		{"192.0.2.9", HEAD "LOCATION: http://192.0.2.1/\r\n\r\n"},
		{"192.0.2.1", HEAD "LOCATION: http://192.0.2.9/\r\n\r\n"},
		{"192.0.2.1", HEAD "LOCATION: http://router.example/\r\n\r\n"},
		{NULL, NULL},
	};

	(void)state;
	assert_int_equal(search(AF_INET, take, answers), -1);
	assert_int_equal(found_count, 0);
	assert_int_equal(refusals.counts[REFUSAL_STRANGER], 2);
	assert_int_equal(refusals.counts[REFUSAL_ELSEWHERE], 2);
}

static void a_description_is_read_once_and_few_are(void **state)
{
	static char text[20][96];
	struct heard answers[21] = {{NULL, NULL}};

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(text[i], sizeof(text[i]),
			"HTTP/1.1 200 OK\r\nLOCATION: "
			"http://192.0.2.1/%d\r\n\r\n",
			i / 2);
		answers[i] = (struct heard){"192.0.2.1", text[i]};
	}
	assert_int_equal(search(AF_INET, take_none, answers), -1);
	assert_int_equal(found_count, 8);
	assert_string_equal(found.path, "/7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_asked_and_the_gateway_itself),
		cmocka_unit_test(both_groups_of_ipv6_are_asked),
		cmocka_unit_test(an_answer_without_a_location_ends_no_search),
		cmocka_unit_test(other_hosts_are_refused),
		cmocka_unit_test(a_description_is_read_once_and_few_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
