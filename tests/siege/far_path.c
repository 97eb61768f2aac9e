/* SPDX-License-Identifier: MPL-2.0 */

/*
 * far-path A B DELAY_MS BITS_PER_S: creates two tun devices of these names and
 * connects them by a simulated link with that delay and rate, and a queue of 4
 * MiB. For kernels without netem.  Prints "ready"; exits at the end of standard
 * input.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_MAX 9000
#define SLOTS      8192U
#define QUEUE_MAX  4194304

struct packet {
	int64_t due_ns;
	size_t len;
	uint8_t data[PACKET_MAX];
};

/* One way. */
struct line {
	int from, to;
	int64_t delay_ns;
	double ns_per_byte;
	int64_t free_ns; /* when the link has sent everything in its queue */
	unsigned first, count;
	struct packet *packets;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int open_tun(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0)
		return fd;
	perror(name);
	exit(2);
}

/* False: no packet was available.  Packets are dropped while the queue is full.
 */
static bool take_one(struct line *line)
{
	struct packet *packet =
		&line->packets[(line->first + line->count) % SLOTS];
	int64_t now = now_ns();
	ssize_t n;

	if (line->count == SLOTS)
		return false;
	n = read(line->from, packet->data, sizeof(packet->data));
	if (n <= 0)
		return false;
	if (line->free_ns < now)
		line->free_ns = now;
	if ((double)(line->free_ns - now) > QUEUE_MAX * line->ns_per_byte)
		return true;
	line->free_ns += (int64_t)((double)n * line->ns_per_byte);
	packet->len = (size_t)n;
	packet->due_ns = line->free_ns + line->delay_ns;
	line->count++;
	return true;
}

static void deliver(struct line *line)
{
	int64_t now = now_ns();

	while (line->count && line->packets[line->first].due_ns <= now) {
		const struct packet *packet = &line->packets[line->first];

		/* A packet is dropped if the device is full, as on real links.
		 */
		if (write(line->to, packet->data, packet->len) < 0 &&
			errno != EAGAIN && errno != EIO)
			perror("far-path");
		line->first = (line->first + 1) % SLOTS;
		line->count--;
	}
}

static void *run(void *arg)
{
	struct line *line = arg;

	for (;;) {
		struct pollfd in = {.fd = line->from, .events = POLLIN};
		int64_t wait = 1000000000;
		struct timespec patience;

		if (line->count)
			wait = line->packets[line->first].due_ns - now_ns();
		if (wait < 0)
			wait = 0;
		patience = (struct timespec){
			(time_t)(wait / 1000000000), (long)(wait % 1000000000)};
		ppoll(&in, 1, &patience, NULL);
		for (int i = 0; i < 64 && take_one(line); i++)
			;
		deliver(line);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct line lines[2];
	char byte;
	int fd[2];

	if (argc != 5)
		return 2;
	for (int i = 0; i < 2; i++)
		fd[i] = open_tun(argv[1 + i]);
	for (int i = 0; i < 2; i++) {
		pthread_t thread;

		lines[i] = (struct line){.from = fd[i],
			.to = fd[1 - i],
			.delay_ns = (int64_t)(atof(argv[3]) * 1e6),
			.ns_per_byte = 8e9 / atof(argv[4]),
			.packets = calloc(SLOTS, sizeof(struct packet))};
		if (!lines[i].packets ||
			pthread_create(&thread, NULL, run, &lines[i]))
			return 2;
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
