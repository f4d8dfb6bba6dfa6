-- Allowances: one row each, drawn from by one statement. See store/allowances.py.

-- name: begin
INSERT INTO headrace.allowances (tenant_id, allowance, user_id, spent_until)
VALUES (%(tenant)s, %(allowance)s, %(user)s, to_timestamp(0))
ON CONFLICT (tenant_id, allowance) DO NOTHING;

-- name: draw
-- The clock is read when the row is held, not when it was asked for. All times are in seconds from
-- then. `each` is how long a unit takes to be earned; nothing, where only the source counts.
WITH held AS MATERIALIZED (
  SELECT * FROM headrace.allowances
  WHERE tenant_id = %(tenant)s AND allowance = %(allowance)s FOR UPDATE
), clock AS MATERIALIZED (
  SELECT held.*, clock_timestamp() AS now FROM held
), assumed AS (
  -- When a window is over, another one like it begins with the next draw, until an answer tells:
  -- once. What is drawn before that is counted as well, and so is what waited for it.
  SELECT *, now >= resets_at AND now < resets_at + make_interval(secs => window_seconds) AS anew
  FROM clock
), known AS (
  SELECT now, most, window_seconds, coalesce(resets_at > now OR anew, false) AS counted,
    coalesce(anew, false) AS anew,
    CASE WHEN anew THEN most + least(0, remaining) ELSE remaining END AS remaining,
    CASE WHEN anew THEN window_seconds
      ELSE extract(epoch FROM resets_at - now)::float8 END AS reset,
    greatest(extract(epoch FROM greatest(spent_until, now - interval '1 hour') - now)::float8,
      -%(burst)s::float8) AS owed,
    coalesce(60 / %(per_minute)s::float8 / least(1, coalesce(share
      + %(creep)s * extract(epoch FROM now - share_at)::float8 / 60, 1)), 0) AS each
  FROM assumed
), judged AS (
  SELECT *, counted AND remaining < least(%(units)s, most / 2) AS empty,
    greatest(0, reset - greatest(0, owed)) / nullif(greatest(0, remaining), 0) AS even,
    remaining < most
      * CASE WHEN %(patient)s THEN %(reserve)s ELSE %(short_reserve)s END AS scarce
  FROM known
), paced AS (
  -- An empty window is waited for, and then begun at its usual pace, until the source says more.
  SELECT *, NOT empty AND counted AND scarce AND even <= %(pace)s AND even > each AS evenly,
    CASE WHEN empty THEN greatest(owed, reset) ELSE owed END AS starts,
    CASE WHEN empty THEN greatest(each, window_seconds / most)
      WHEN counted AND scarce AND even <= %(pace)s THEN greatest(each, even)
      ELSE each END AS pace,
    -- Nobody takes all that is left of a window to keep it.
    CASE WHEN counted THEN greatest(%(units)s, least(%(want)s, floor(remaining / 8)))
      ELSE %(want)s END::float8 AS most_wanted
  FROM judged
), sized AS (
  SELECT *, CASE WHEN starts + most_wanted * pace <= %(ahead)s THEN most_wanted
    ELSE %(units)s END::float8 AS n
  FROM paced
), asked AS (
  SELECT *, CASE
    WHEN empty AND starts > %(longest)s THEN false
    WHEN starts <= 0 THEN true
    WHEN %(patient)s THEN starts + n * pace <= %(patience)s
    ELSE starts + n * pace < %(longest)s END AS made
  FROM sized
), moved AS (
  UPDATE headrace.allowances b SET spent_until = now + make_interval(secs => starts + n * pace),
    remaining = asked.remaining - n,
    resets_at = CASE WHEN anew THEN now + make_interval(secs => reset) ELSE b.resets_at END,
    window_seconds = CASE WHEN NOT anew THEN b.window_seconds END
  FROM asked
  WHERE tenant_id = %(tenant)s AND allowance = %(allowance)s AND made
)
SELECT made, n, pace AS each, starts, evenly, counted, most, reset,
  CASE WHEN made THEN remaining - n ELSE remaining END AS remaining,
  greatest(0, CASE WHEN %(patient)s THEN least(starts, starts + n * pace - %(patience)s)
    ELSE starts END) AS wait
FROM asked;

-- name: hold_off
INSERT INTO headrace.allowances AS b (tenant_id, allowance, user_id, spent_until)
VALUES (%(tenant)s, %(allowance)s, %(user)s, clock_timestamp() + make_interval(secs => %(wait)s))
ON CONFLICT (tenant_id, allowance) DO UPDATE
SET spent_until = greatest(b.spent_until, excluded.spent_until);

-- name: forget
DELETE FROM headrace.allowances WHERE tenant_id = %(tenant)s AND allowance = %(allowance)s;

-- name: learn
-- Of a window that is known already the lesser number is kept: what was drawn is on its way. Less
-- than nothing is what was drawn of the next one.
INSERT INTO headrace.allowances AS b (tenant_id, allowance, user_id, spent_until, remaining, most,
  window_seconds, resets_at)
VALUES (%(tenant)s, %(allowance)s, %(user)s, to_timestamp(0), %(remaining)s, %(most)s, %(seconds)s,
  clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (tenant_id, allowance) DO UPDATE
SET (remaining, resets_at) = (
    SELECT CASE WHEN NOT same.known THEN excluded.remaining + least(0, b.remaining)
        WHEN %(more)s AND excluded.remaining - %(margin)s > b.remaining
          THEN excluded.remaining - %(margin)s
        ELSE least(b.remaining, excluded.remaining) END,
      CASE WHEN same.known THEN greatest(b.resets_at, excluded.resets_at)
        ELSE excluded.resets_at END
    FROM (SELECT coalesce(b.resets_at > clock_timestamp()
      AND abs(extract(epoch FROM excluded.resets_at - b.resets_at)) <= %(same)s, false)) same (known)
  ),
  most = excluded.most,
  window_seconds = CASE WHEN b.most = excluded.most
    THEN greatest(b.window_seconds, excluded.window_seconds) ELSE excluded.window_seconds END
RETURNING most, remaining, extract(epoch FROM resets_at - clock_timestamp())::float8 AS reset;

-- name: lower
INSERT INTO headrace.allowances AS b (tenant_id, allowance, user_id, spent_until, share, share_at)
VALUES (%(tenant)s, %(allowance)s, %(user)s, to_timestamp(0), %(lowered)s, clock_timestamp())
ON CONFLICT (tenant_id, allowance) DO UPDATE
SET share = greatest(%(least_share)s, excluded.share * least(1, coalesce(b.share
    + %(creep)s * extract(epoch FROM clock_timestamp() - b.share_at)::float8 / 60, 1))),
  share_at = excluded.share_at
WHERE b.share_at IS NULL
  OR b.share_at < clock_timestamp() - make_interval(secs => %(again)s)
RETURNING share;

-- name: governed
SELECT FROM headrace.allowances
WHERE tenant_id = %(tenant)s AND allowance = %(allowance)s
  AND (spent_until > clock_timestamp() OR resets_at > clock_timestamp());
