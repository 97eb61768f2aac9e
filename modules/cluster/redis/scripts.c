/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What runs in Redis as one step.
 *
 * A number in Lua is a double, which is exact up to 2^53 only, and it compares
 * texts by the server's locale.  So incarnations and epochs are read as halves
 * of 32 bits, and compared one after the other.
 *
 * The key of a node is not among KEYS, because only the script knows it.  It
 * has the same hash tag, so it is on the same server.
 */

#include "cluster/redis/scripts.h"

#define ENTRY_IS_WRONG                                                         \
	"return redis.error_reply('WRONGTYPE the entry of a device has '"      \
	" .. #v .. ' bytes, not 24')\n"

/* KEYS: the device.  ARGV: an entry (our incarnation, the epoch, the serial),
 * 'join' or 'check'.  Answers what was stored and what is.  A serial that is
 * stored for us already and is higher stays.  An entry that is ours lasts for
 * an hour; each check, some minutes apart, begins that anew.  So what a node
 * leaves behind that dies goes by itself. */
static const char claim[] =
	"local v = redis.call('GET', KEYS[1]) or string.rep('\\0', 24)\n"
	"if #v ~= 24 then " ENTRY_IS_WRONG "end\n"
	"local i, j, e, f, s, t = struct.unpack('>I4I4I4I4I4I4', v)\n"
	"local oi, oj, oe, of, os, ot =\n"
	"  struct.unpack('>I4I4I4I4I4I4', ARGV[1])\n"
	"local ours = i == oi and j == oj\n"
	"if not ours or s < os or (s == os and t < ot) then s, t = os, ot end\n"
	"local serial = struct.pack('>I4I4', s, t)\n"
	"local now = v\n"
	"if ARGV[2] == 'join' then\n"
	"  if e > oe or (e == oe and f > of) then oe, of = e, f end\n"
	"  of = of + 1\n"
	"  if of > 4294967295 then oe, of = oe + 1, 0 end\n"
	"  if oe > 4294967295 then oe, of = 4294967295, 4294967295 end\n"
	"  now = string.sub(ARGV[1], 1, 8) .. struct.pack('>I4I4', oe, of)\n"
	"    .. serial\n"
	"elseif (i == 0 and j == 0) or e < oe or (e == oe and (f < of or\n"
	"  (f == of and (i < oi or (i == oi and j < oj))))) then\n"
	"  now = string.sub(ARGV[1], 1, 16) .. serial\n"
	"elseif ours then\n"
	"  now = string.sub(v, 1, 16) .. serial\n"
	"end\n"
	"if string.sub(now, 1, 8) == string.sub(ARGV[1], 1, 8) then\n"
	"  redis.call('SET', KEYS[1], now, 'EX', 3600)\n"
	"end\n"
	"return v .. now\n";

/* KEYS: the device.  ARGV: our incarnation and the highest serial. */
static const char release[] =
	"local v = redis.call('GET', KEYS[1])\n"
	"if not v or #v ~= 24 or\n"
	"  string.sub(v, 1, 8) ~= string.sub(ARGV[1], 1, 8) then return 0 end\n"
	"local s, t = struct.unpack('>I4I4', v, 17)\n"
	"local os, ot = struct.unpack('>I4I4', ARGV[1], 9)\n"
	"if s < os or (s == os and t <= ot) then\n"
	"  redis.call('DEL', KEYS[1])\n"
	"end\n"
	"return 0\n";

/* KEYS: the device.  ARGV: our incarnation, the prefix of all keys, the
 * message. */
static const char find[] =
	"local v = redis.call('GET', KEYS[1])\n"
	"if not v then return 0 end\n"
	"if #v ~= 24 then " ENTRY_IS_WRONG "end\n"
	"if string.sub(v, 1, 8) == ARGV[1] then return 1 end\n"
	"local node = string.format('%08x%08x', struct.unpack('>I4I4', v))\n"
	"if redis.call('EXISTS', ARGV[2] .. 'node:' .. node) == 0 then\n"
	"  return 0\n"
	"end\n"
	"redis.call('PUBLISH', ARGV[2] .. 'to:' .. node, ARGV[3])\n"
	"return 2\n";

/* KEYS: the node, the nodes.  ARGV: the lease, its milliseconds, the
 * incarnation in hexadecimal, the channel. */
static const char lease[] =
	"redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
	"redis.call('SADD', KEYS[2], ARGV[3])\n"
	"redis.call('PUBLISH', ARGV[4], ARGV[1])\n"
	"return 0\n";

/* KEYS: the nodes.  ARGV: where to go on, the prefix of nodes.  Answers where
 * the next page begins ('0': there is none), and leases.  Forgets nodes that
 * are over. */
static const char leases[] =
	"local page = redis.call('SSCAN', KEYS[1], ARGV[1], 'COUNT', 100)\n"
	"local live = {}\n"
	"for _, node in ipairs(page[2]) do\n"
	"  local v = redis.call('GET', ARGV[2] .. node)\n"
	"  if not v then redis.call('SREM', KEYS[1], node)\n"
	"  elseif #live < 500 then live[#live + 1] = v end\n"
	"end\n"
	"return {page[1], live}\n";

/* KEYS: the relay.  ARGV: our ID.  Answers the one that is stored. */
static const char identify[] = "local v = redis.call('GET', KEYS[1])\n"
			       "if v then return v end\n"
			       "redis.call('SET', KEYS[1], ARGV[1])\n"
			       "return ARGV[1]\n";

/* Whether the rank of a row is higher than that of another. */
#define HIGHER                                                                 \
	"local function higher(a, b)\n"                                        \
	"  local e, f = struct.unpack('>I4I4', a)\n"                           \
	"  local g, h = struct.unpack('>I4I4', b)\n"                           \
	"  return e > g or (e == g and f > h)\n"                               \
	"end\n"

/* KEYS: the rows, the news.  ARGV: the key, the row, what it may replace
 * whatever its rank, the most rows.  Answers what is stored. */
static const char row_put[] = HIGHER
	"local v = redis.call('HGET', KEYS[1], ARGV[1])\n"
	"if v and #v >= 8 and v ~= ARGV[3] and not higher(ARGV[2], v) and\n"
	"  redis.call('ZSCORE', KEYS[2], ARGV[1]) then\n"
	"  return v\n"
	"end\n"
	"if not v and redis.call('HLEN', KEYS[1]) > tonumber(ARGV[4]) then\n"
	"  return redis.error_reply('FULL the table has too many rows')\n"
	"end\n"
	"local top = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')\n"
	"local n = math.max(tonumber(redis.call('HGET', KEYS[1], 'n')) or 0,\n"
	"  tonumber(top[2]) or 0) + 1\n"
	"redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], 'n', n)\n"
	"redis.call('ZADD', KEYS[2], n, ARGV[1])\n"
	"return ARGV[2]\n";

/* KEYS: the rows, the news.  ARGV: the key, a row. */
static const char row_drop[] =
	HIGHER "local v = redis.call('HGET', KEYS[1], ARGV[1])\n"
	       "if v and (#v < 8 or not higher(v, ARGV[2])) then\n"
	       "  redis.call('HDEL', KEYS[1], ARGV[1])\n"
	       "  redis.call('ZREM', KEYS[2], ARGV[1])\n"
	       "end\n"
	       "return 0\n";

/* KEYS: the rows, the news.  ARGV: since when.  Answers the number to go on
 * with, that of the last change, whether there is more, and rows, each after
 * its key.  What all nodes have left goes after 40 days. */
static const char rows[] =
	"local page = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1],\n"
	"  '+inf', 'WITHSCORES', 'LIMIT', 0, 200)\n"
	"local at, found = ARGV[1], {}\n"
	"for i = 1, #page, 2 do\n"
	"  at = page[i + 1]\n"
	"  local v = redis.call('HGET', KEYS[1], page[i])\n"
	"  if v and #page[i] == 32 and #v >= 8 and #v <= 96 then\n"
	"    found[#found + 1] = page[i] .. v\n"
	"  end\n"
	"end\n"
	"if ARGV[1] == '0' then\n"
	"  redis.call('EXPIRE', KEYS[1], 3456000)\n"
	"  redis.call('EXPIRE', KEYS[2], 3456000)\n"
	"end\n"
	"local n = redis.call('HGET', KEYS[1], 'n') or '0'\n"
	"return {at, n, #page == 400 and 1 or 0, found}\n";

const char *const script_text[SCRIPTS] = {
	[SCRIPT_CLAIM] = claim,
	[SCRIPT_RELEASE] = release,
	[SCRIPT_FIND] = find,
	[SCRIPT_LEASE] = lease,
	[SCRIPT_LEASES] = leases,
	[SCRIPT_IDENTIFY] = identify,
	[SCRIPT_ROW_PUT] = row_put,
	[SCRIPT_ROW_DROP] = row_drop,
	[SCRIPT_ROWS] = rows,
};
