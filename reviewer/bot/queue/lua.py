"""The scripts that the queue runs inside Redis.

Keys, all below one prefix: `wake`, the stream; `job:KEY`, a job as a hash; `jobs`, all keys by their time;
`running`, the job of each pending entry; `ready:HIGH:REPOSITORY`, waiting jobs; `turns:HIGH`, the repositories
that have some, in the order of their turns; `seen:DELIVERY`, `reviewed:KEY`, `report:KEY` and `count:KEY`,
which expire; `news`, what happened and was not asked for yet.
"""

from __future__ import annotations

from hunkwise.reviewer.bot.queue.port import MOST_NEWS

_COMMON = """
if redis.replicate_commands then redis.replicate_commands() end  -- Redis 6: hand on what was done, not the script
local P = KEYS[1]
local STREAM, JOBS, RUNNING, GROUP = P .. 'wake', P .. 'jobs', P .. 'running', 'workers'
local function job(key) return P .. 'job:' .. key end
local function ready(high, repository) return P .. 'ready:' .. high .. ':' .. repository end
local function turns(high) return P .. 'turns:' .. high end
local function wake() redis.call('XADD', STREAM, '*', 'job', '1') end
local function now()
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end
local function tell(what, seconds)
  redis.call('RPUSH', P .. 'news', what .. ' ' .. seconds)
  redis.call('LTRIM', P .. 'news', -MOST_NEWS, -1)
end
local function enqueue(key)
  local row = redis.call('HMGET', job(key), 'high', 'repository')
  if redis.call('RPUSH', ready(row[1], row[2]), key) == 1 then
    redis.call('RPUSH', turns(row[1]), row[2])
  end
  redis.call('HSET', job(key), 'state', 'waiting', 'ticket', '')
end
local function unqueue(key)
  local row = redis.call('HMGET', job(key), 'high', 'repository')
  redis.call('LREM', ready(row[1], row[2]), 0, key)
  if redis.call('LLEN', ready(row[1], row[2])) == 0 then redis.call('LREM', turns(row[1]), 0, row[2]) end
end
local function acknowledge(entry)
  redis.call('XACK', STREAM, GROUP, entry)
  redis.call('XDEL', STREAM, entry)
  redis.call('HDEL', RUNNING, entry)
end
local function forget(key)
  redis.call('DEL', job(key))
  redis.call('ZREM', JOBS, key)
end
local function bury(key, reason)
  redis.call('DEL', P .. 'seen:' .. redis.call('HGET', job(key), 'delivery'))  -- it may be delivered again
  redis.call('HSET', job(key), 'state', 'dead', 'ticket', '', 'reason', reason, 'since', now())
  tell('dead', 0)
end
local function shown(key)
  return {key, unpack(redis.call('HMGET', job(key), 'event', 'generation', 'again', 'tries', 'ticket'))}
end
local function mine(key, ticket) return redis.call('HGET', job(key), 'ticket') == ticket end
local function entry_of(ticket) return string.match(ticket, '^[^/]*') end
"""

_ACCEPT = """
local delivery, seen_for, key, event, repository, high, again, closed = unpack(ARGV)
if not redis.call('SET', P .. 'seen:' .. delivery, '1', 'NX', 'EX', seen_for) then return 0 end
local state = redis.call('HGET', job(key), 'state')
if closed == '1' then
  if state == 'dead' then
    forget(key)
  elseif state then
    redis.call('HSET', job(key), 'event', event)
    redis.call('HINCRBY', job(key), 'generation', 1)
  end
  return 1
end
local old = redis.call('HMGET', job(key), 'high', 'again')
if old[2] and tonumber(old[2]) > tonumber(again) then again = old[2] end
if old[1] and tonumber(old[1]) > tonumber(high) then high = old[1] end
local raised = state == 'waiting' and old[1] ~= high
if raised then unqueue(key) end
redis.call('HSET', job(key), 'event', event, 'delivery', delivery, 'repository', repository, 'high', high,
  'again', again, 'tries', 0, 'reason', '')
redis.call('HINCRBY', job(key), 'generation', 1)
if not state or state == 'dead' then
  local time = now()
  redis.call('HSET', job(key), 'since', time)
  redis.call('ZADD', JOBS, time, key)
  enqueue(key)
  wake()
elseif raised then
  enqueue(key)
end
return 1
"""

_CLAIM = """
local lease, most, least = unpack(ARGV)
redis.pcall('XGROUP', 'CREATE', STREAM, GROUP, '0', 'MKSTREAM')
local function handed(entry, key)
  local tries = redis.call('HINCRBY', job(key), 'tries', 1)
  local ticket = entry .. '/' .. redis.call('INCR', P .. 'tickets')
  redis.call('HSET', job(key), 'state', 'running', 'ticket', ticket)
  redis.call('HSET', RUNNING, entry, key)
  if tries == 1 then tell('waited', math.max(0, now() - redis.call('HGET', job(key), 'since'))) end
  return shown(key)
end
local function spent(key)
  local row = redis.call('HMGET', job(key), 'tries', 'reason')
  if tonumber(row[1]) < tonumber(most) then return false end
  bury(key, row[2] ~= '' and row[2] or 'its worker died each time')
  return true
end
while least == '0' do
  local found = redis.call('XAUTOCLAIM', STREAM, GROUP, 'worker', lease, '0', 'COUNT', 1)[2][1]
  if not found then break end
  local entry = found[1]
  local key = redis.call('HGET', RUNNING, entry)
  local ticket = key and redis.call('HGET', job(key), 'ticket')
  if not ticket or entry_of(ticket) ~= entry or spent(key) then
    acknowledge(entry)
  else
    return handed(entry, key)
  end
end
local function next_job()
  for high = 2, tonumber(least), -1 do
    local repository = redis.call('LPOP', turns(high))
    if repository then
      local key = redis.call('LPOP', ready(high, repository))
      if redis.call('LLEN', ready(high, repository)) > 0 then redis.call('RPUSH', turns(high), repository) end
      return key
    end
  end
end
while true do
  local key = next_job()
  if not key and least ~= '0' then return false end
  local read = redis.call('XREADGROUP', 'GROUP', GROUP, 'worker', 'COUNT', 1, 'STREAMS', STREAM, '>')
  if key and not read then
    wake()
    read = redis.call('XREADGROUP', 'GROUP', GROUP, 'worker', 'COUNT', 1, 'STREAMS', STREAM, '>')
  end
  if not read then return false end
  local entry = read[1][2][1][1]
  if not key then
    acknowledge(entry)  -- its job was dropped
  elseif spent(key) then
    acknowledge(entry)
  else
    return handed(entry, key)
  end
end
"""

_RENEW = """
local key, ticket = unpack(ARGV)
if not mine(key, ticket) then return 0 end
redis.call('XCLAIM', STREAM, GROUP, 'worker', 0, entry_of(ticket), 'JUSTID')
return 1
"""

_WANTED = """
local key, ticket = unpack(ARGV)
return mine(key, ticket) and shown(key)
"""

_DONE = """
local key, ticket, generation, head, done_for, outcome = unpack(ARGV)
if not mine(key, ticket) then return 0 end
if head ~= '' then redis.call('SET', P .. 'reviewed:' .. key, head, 'EX', done_for) end
acknowledge(entry_of(ticket))
tell(outcome, 0)
if redis.call('HGET', job(key), 'generation') == generation then
  forget(key)
else
  redis.call('HSET', job(key), 'tries', 0, 'reason', '', 'since', now())
  enqueue(key)
  wake()
end
return 1
"""

_FAIL = """
local key, ticket, reason = unpack(ARGV)
if not mine(key, ticket) then return end
redis.call('HSET', job(key), 'reason', reason)
tell('failed', 0)
"""

_RELEASE = """
local key, ticket = unpack(ARGV)
if not mine(key, ticket) then return end
acknowledge(entry_of(ticket))
if tonumber(redis.call('HGET', job(key), 'tries')) > 0 then redis.call('HINCRBY', job(key), 'tries', -1) end
enqueue(key)
wake()
"""

_BURY = """
local key, ticket, reason = unpack(ARGV)
if not mine(key, ticket) then return end
acknowledge(entry_of(ticket))
bury(key, reason)
"""

_COUNT = """
local count, seconds = P .. 'count:' .. ARGV[1], ARGV[2]
local held = redis.call('INCR', count)
if held == 1 then redis.call('EXPIRE', count, seconds) end
return held
"""

_ENTRIES = """
local rows = {}
for _, key in ipairs(redis.call('ZRANGE', JOBS, 0, -1)) do
  rows[#rows + 1] = {key,
    unpack(redis.call('HMGET', job(key), 'state', 'event', 'high', 'tries', 'since', 'reason'))}
end
return rows
"""

_DEPTHS = """
local rows = {}
for _, key in ipairs(redis.call('ZRANGE', JOBS, 0, -1)) do
  rows[#rows + 1] = redis.call('HGET', job(key), 'state')
end
return rows
"""

_NEWS = """
local rows = redis.call('LRANGE', P .. 'news', 0, -1)
redis.call('DEL', P .. 'news')
return rows
"""

_RETRY = """
local key = ARGV[1]
if redis.call('HGET', job(key), 'state') ~= 'dead' then return 0 end
redis.call('HSET', job(key), 'tries', 0, 'since', now())
enqueue(key)
wake()
return 1
"""

_DROP = """
local key = ARGV[1]
local row = redis.call('HMGET', job(key), 'state', 'ticket')
if not row[1] then return 0 end
if row[1] == 'waiting' then unqueue(key) end
if row[1] == 'running' then acknowledge(entry_of(row[2])) end
forget(key)
return 1
"""

SCRIPTS = {
    name: _COMMON.replace("MOST_NEWS", str(MOST_NEWS)) + body
    for name, body in {
        "accept": _ACCEPT,
        "claim": _CLAIM,
        "renew": _RENEW,
        "wanted": _WANTED,
        "done": _DONE,
        "fail": _FAIL,
        "release": _RELEASE,
        "bury": _BURY,
        "count": _COUNT,
        "entries": _ENTRIES,
        "depths": _DEPTHS,
        "news": _NEWS,
        "retry": _RETRY,
        "drop": _DROP,
    }.items()
}
