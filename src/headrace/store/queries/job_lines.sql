-- What was said of jobs: at most so many lines of each, the newest.

-- name: keep
INSERT INTO headrace.job_lines (tenant_id, user_id, job_id, said_at, level, event, facts)
SELECT j.tenant_id, j.user_id, j.job_id, s.said_at, s.level, s.event, s.facts
FROM unnest(%(jobs)s::text[], %(times)s::timestamptz[], %(levels)s::text[], %(events)s::text[],
    %(facts)s::jsonb[]) WITH ORDINALITY AS s (job_id, said_at, level, event, facts, place)
JOIN headrace.jobs j USING (job_id)
ORDER BY s.place;

-- name: trim
DELETE FROM headrace.job_lines l
USING unnest(%(jobs)s::text[]) AS said (job_id)
JOIN headrace.jobs j USING (job_id)
CROSS JOIN LATERAL (SELECT o.line_id FROM headrace.job_lines o
  WHERE o.tenant_id = j.tenant_id AND o.job_id = j.job_id
  ORDER BY o.line_id DESC OFFSET %(most)s - 1 LIMIT 1) oldest
WHERE l.tenant_id = j.tenant_id AND l.job_id = j.job_id AND l.line_id < oldest.line_id;

-- name: of_job
SELECT line_id, said_at, level, event, facts FROM headrace.job_lines
WHERE job_id = %(job_id)s ORDER BY line_id DESC LIMIT %(limit)s;
