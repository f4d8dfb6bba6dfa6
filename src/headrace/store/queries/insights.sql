-- Insights, what is wanted of them, and what language models have cost.

-- name: known
-- What is there of this input already: made by this model, or by rules after it was asked in vain.
SELECT insight_id FROM headrace.insights
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND kind = %(kind)s AND subject = %(subject)s
  AND input_hash = %(input_hash)s AND prompt_hash = %(prompt_hash)s
  AND (made_by = %(model)s OR asked = %(model)s)
LIMIT 1;

-- name: add
-- Nothing is added that quotes what has changed, or gone, while a model thought about it.
INSERT INTO headrace.insights (tenant_id, user_id, kind, subject, title, summary, confidence,
  priority, actions, sources, made_by, asked, note, prompt_hash, input_hash, job_id)
SELECT %(tenant)s, %(user)s, %(kind)s, %(subject)s, %(title)s, %(summary)s, %(confidence)s,
  %(priority)s, %(actions)s, %(sources)s, %(made_by)s, %(asked)s, %(note)s, %(prompt_hash)s,
  %(input_hash)s, %(job_id)s
WHERE NOT EXISTS (SELECT FROM jsonb_to_recordset(%(sources)s)
    AS s (stream_id bigint, source_id text, version integer)
  WHERE NOT EXISTS (SELECT FROM headrace.interactions n WHERE n.tenant_id = %(tenant)s
    AND n.stream_id = s.stream_id AND n.source_id = s.source_id AND n.version = s.version)
  AND NOT EXISTS (SELECT FROM headrace.calendar_events n WHERE n.tenant_id = %(tenant)s
    AND n.stream_id = s.stream_id AND n.source_id = s.source_id AND n.version = s.version))
ON CONFLICT DO NOTHING;

-- name: spend
-- Tokens promised to a request, if the day's budget has room for them.
INSERT INTO headrace.llm_usage AS u (tenant_id, user_id, day, tokens, requests)
SELECT %(tenant)s, %(user)s, (now() AT TIME ZONE 'UTC')::date, %(tokens)s, 1
WHERE %(tokens)s <= %(budget)s
ON CONFLICT (tenant_id, day) DO UPDATE
SET tokens = u.tokens + excluded.tokens, requests = u.requests + 1
WHERE u.tokens + excluded.tokens <= %(budget)s
RETURNING day;

-- name: correct
-- What the request took was another number.
UPDATE headrace.llm_usage SET tokens = greatest(0, tokens + %(more)s)
WHERE tenant_id = %(tenant)s AND day = %(day)s;

-- name: take_wanted
-- Everybody who has waited long enough.
DELETE FROM headrace.insights_wanted w USING (
  SELECT tenant_id, user_id FROM headrace.insights_wanted
  WHERE wanted_at <= now() - %(patience)s * interval '1 second'
  ORDER BY wanted_at LIMIT 100 FOR UPDATE SKIP LOCKED) due
WHERE w.tenant_id = due.tenant_id AND w.user_id = due.user_id
RETURNING w.tenant_id, w.user_id;

-- name: owners
-- Everybody who has brought something in, and has not been given this job.
SELECT DISTINCT c.tenant_id, c.user_id FROM headrace.connections c
WHERE NOT EXISTS (SELECT FROM headrace.jobs j WHERE j.tenant_id = c.tenant_id
  AND j.user_id = c.user_id AND j.idempotency_key = %(key)s)
ORDER BY 1, 2 LIMIT 1000;

-- name: columns
SELECT i.insight_id, i.user_id, i.kind, i.subject, i.title, i.summary, i.confidence, i.priority,
  i.actions, i.sources, i.made_by, i.note, i.job_id, i.created_at,
  EXISTS (SELECT FROM jsonb_to_recordset(i.sources)
      AS s (stream_id bigint, source_id text, version integer)
    WHERE NOT EXISTS (SELECT FROM headrace.interactions n WHERE n.tenant_id = i.tenant_id
      AND n.stream_id = s.stream_id AND n.source_id = s.source_id AND n.version = s.version)
    AND NOT EXISTS (SELECT FROM headrace.calendar_events n WHERE n.tenant_id = i.tenant_id
      AND n.stream_id = s.stream_id AND n.source_id = s.source_id AND n.version = s.version)
  ) AS outdated
FROM headrace.insights i

-- name: listing
{columns}
WHERE (%(kind)s::text IS NULL OR i.kind = %(kind)s)
  AND (%(subject)s::text IS NULL OR i.subject = %(subject)s)
  AND (%(priorities)s::text[] IS NULL OR i.priority = ANY(%(priorities)s))
  AND (%(since)s::timestamptz IS NULL OR i.created_at >= %(since)s)
  AND (%(job_id)s::text IS NULL OR i.job_id = %(job_id)s)
  AND (%(before)s::bigint IS NULL OR i.insight_id < %(before)s)
ORDER BY i.insight_id DESC LIMIT %(limit)s;

-- name: one
{columns}
WHERE i.insight_id = %(insight_id)s;
