//! Lua scripts: each is one atomic step. All keys of a script are in one slot of a cluster.

use std::sync::LazyLock;

use redis::Script;

/// Replaces a login if its version is `ARGV[1]`, and publishes a message. Returns 1 if it did, else
/// 0. First tries the right to the channel with an empty message: a user without it must not write,
/// and a message must not stand for a login that Redis refuses to write.
///
/// `KEYS`: the login. `ARGV`: base, version, text, milliseconds to keep it, channel, message.
pub(super) static COMMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local version = redis.call('HGET', KEYS[1], 'version') or ''
        if version ~= ARGV[1] then return 0 end
        redis.call('PUBLISH', ARGV[5], '')
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'login', ARGV[3])
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        redis.call('PUBLISH', ARGV[5], ARGV[6])
        return 1
        ",
    )
});

/// Renames a damaged login if its version is still `ARGV[1]`. Returns 1 if it did, else 0.
///
/// `KEYS`: the login, its new name. `ARGV`: version.
pub(super) static SET_ASIDE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
        local version = redis.call('HGET', KEYS[1], 'version') or ''
        if version ~= ARGV[1] then return 0 end
        redis.call('RENAME', KEYS[1], KEYS[2])
        return 1
        ",
    )
});

/// Takes a lease. If it is taken, returns its holder and the remaining milliseconds.
///
/// `KEYS`: the lease. `ARGV`: holder, milliseconds.
pub(super) static LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
        local holder = redis.call('GET', KEYS[1])
        if holder == ARGV[1] then
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
            return false
        end
        return {holder, redis.call('PTTL', KEYS[1])}
        ",
    )
});

/// Extends a lease if the holder still has it. Returns 1 if it did, else 0.
///
/// `KEYS`: the lease. `ARGV`: holder, milliseconds.
pub(super) static EXTEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])
        ",
    )
});

/// Releases a lease if the holder still has it.
///
/// `KEYS`: the lease. `ARGV`: holder.
pub(super) static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
        ",
    )
});

/// Posts a notice. It is stored behind the time of its end, by the clock of Redis.
///
/// `KEYS`: the notices. `ARGV`: holder, notice, milliseconds.
pub(super) static POST: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local now = redis.call('TIME')
        local now = now[1] * 1000 + math.floor(now[2] / 1000)
        redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[3]) .. ' ' .. ARGV[2])
        if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
        ",
    )
});

/// Returns the notices that have not ended, and deletes the others.
///
/// `KEYS`: the notices.
pub(super) static WAITING: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local now = redis.call('TIME')
        local now = now[1] * 1000 + math.floor(now[2] / 1000)
        local all, notices = redis.call('HGETALL', KEYS[1]), {}
        for at = 1, #all, 2 do
            local stop, notice = string.match(all[at + 1], '^(%d+) (.*)$')
            if stop and tonumber(stop) > now then
                notices[#notices + 1] = notice
            else
                redis.call('HDEL', KEYS[1], all[at])
            end
        end
        return notices
        ",
    )
});
