-- What memory engines have been told.

-- name: told
SELECT engine, count(told_hash) AS told, max(told_at) AS told_at FROM headrace.memories
GROUP BY engine ORDER BY max(told_at) DESC NULLS LAST;

-- name: forget
DELETE FROM headrace.memories
WHERE tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR user_id = %(user)s);

-- name: undo
DELETE FROM headrace.stage_runs
WHERE tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR user_id = %(user)s)
  AND stage = %(stage)s;
