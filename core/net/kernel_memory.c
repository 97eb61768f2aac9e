/* SPDX-License-Identifier: MPL-2.0 */

/* The kernel memory of all sessions together. */

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/instance.h"
#include "net/kernel_memory.h"
#include "net/net_state.h"

/* Used if tcp_mem cannot be read: the kernel's default is about one eighth of
 * the RAM. */
#define SHARE_OF_RAM 8

static struct kernel_memory *self(void)
{
	return &instance->net->memory;
}

static int64_t pressure_pages(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_mem", "re");
	int64_t pages = 0;

	if (file && fscanf(file, "%*d %" SCNd64, &pages) != 1)
		pages = 0;
	if (file)
		(void)fclose(file);
	return pages > 0 ? pages : sysconf(_SC_PHYS_PAGES) / SHARE_OF_RAM;
}

static int64_t default_bound(const struct cgroup_limit *allowed)
{
	int64_t bytes = pressure_pages() / 2 * sysconf(_SC_PAGESIZE);

	if (allowed->most > 0 && allowed->most / 2 < bytes)
		return allowed->most / 2;
	return bytes;
}

void kernel_memory_bound(int64_t bytes, const struct cgroup_limit *allowed)
{
	if (bytes == 0)
		bytes = default_bound(allowed);
	atomic_store_explicit(&self()->bound, bytes > 0 ? bytes : INT64_MAX,
		memory_order_relaxed);
}

void kernel_memory_change(int64_t by)
{
	atomic_fetch_add_explicit(&self()->sum, by, memory_order_relaxed);
}

int64_t kernel_memory_excess(void)
{
	return atomic_load_explicit(&self()->sum, memory_order_relaxed) -
	       kernel_memory_limit();
}

bool kernel_memory_short(void)
{
	return kernel_memory_excess() > 0;
}

int64_t kernel_memory_short_ms(int64_t now_ms)
{
	struct kernel_memory *memory = self();
	int64_t since = 0;

	if (!kernel_memory_short()) {
		atomic_store_explicit(
			&memory->since_ms, 0, memory_order_relaxed);
		return -1;
	}
	if (atomic_compare_exchange_strong(&memory->since_ms, &since, now_ms))
		since = now_ms;
	return now_ms > since ? now_ms - since : 0;
}

int64_t kernel_memory_limit(void)
{
	return atomic_load_explicit(&self()->bound, memory_order_relaxed);
}
