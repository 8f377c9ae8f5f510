/** Jobs and job definitions in the database. */
import type { DatabaseSync } from 'node:sqlite';
import type { Job, JobStatus } from './job.ts';
import type { JobDefinition } from './job-definition.ts';

const schema = `
CREATE TABLE IF NOT EXISTS batch_definitions (
  name TEXT NOT NULL, revision INTEGER NOT NULL, status TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (name, revision)) STRICT;
CREATE TABLE IF NOT EXISTS batch_jobs (
  id TEXT PRIMARY KEY, queue TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL, stopped_at INTEGER,
  job TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS batch_jobs_by_status ON batch_jobs (status, created_at);
CREATE INDEX IF NOT EXISTS batch_jobs_by_queue ON batch_jobs (queue, created_at);
CREATE TABLE IF NOT EXISTS batch_task_logs (task_id TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT;
`;

export interface JobFilter {
  queue: string;
  statuses?: JobStatus[];
  /** Trailing `*` matches a prefix. */
  name?: string;
  definition?: string;
  /** Epoch milliseconds. */
  createdBefore?: number;
  createdAfter?: number;
}

export type BatchStore = ReturnType<typeof createBatchStore>;

export function createBatchStore(db: DatabaseSync) {
  db.exec(schema);
  const toJob = (row: Record<string, unknown>) => JSON.parse(String(row.job)) as Job;
  const toDefinition = (row: Record<string, unknown>) => JSON.parse(String(row.definition)) as JobDefinition;
  const update = db.prepare('UPDATE batch_jobs SET status = ?, stopped_at = ?, job = ? WHERE id = ?');
  const setPosition = db.prepare(
    'INSERT INTO batch_task_logs VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position',
  );

  return {
    insertJob(job: Job): void {
      db.prepare('INSERT INTO batch_jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        job.id,
        job.queueArn,
        job.name,
        job.definitionArn,
        job.status,
        job.createdAt,
        null,
        JSON.stringify(job),
      );
    },
    saveJob: (job: Job) => void update.run(job.status, job.stoppedAt ?? null, JSON.stringify(job), job.id),
    job(id: string): Job | undefined {
      const row = db.prepare('SELECT job FROM batch_jobs WHERE id = ?').get(id);
      return row && toJob(row);
    },
    unendedJobs: (): Job[] =>
      db
        .prepare(
          "SELECT job FROM batch_jobs WHERE status NOT IN ('SUCCEEDED', 'FAILED') ORDER BY created_at, rowid",
        )
        .all()
        .map(toJob),
    /** Share identifiers of the queue's jobs that have not ended. */
    activeShares: (queue: string): Set<string> =>
      new Set(
        db
          .prepare(
            "SELECT DISTINCT job ->> 'shareIdentifier' AS share FROM batch_jobs WHERE queue = ? AND status NOT IN ('SUCCEEDED', 'FAILED')",
          )
          .all(queue)
          .map(({ share }) => String(share)),
      ),
    /** Newest first. */
    findJobs(filter: JobFilter, count: number, offset: number): Job[] {
      const like = (pattern: string) =>
        pattern.replace(/\*$/, '').replace(/[\\%_]/g, '\\$&') + (pattern.endsWith('*') ? '%' : '');
      const conditions: [string, (string | number)[]][] = [
        ['queue = ?', [filter.queue]],
        ...(filter.statuses
          ? [
              [`status IN (${filter.statuses.map(() => '?').join(', ')})`, filter.statuses] as [
                string,
                string[],
              ],
            ]
          : []),
        ...(filter.name ? [["name LIKE ? ESCAPE '\\'", [like(filter.name)]] as [string, string[]]] : []),
        ...(filter.definition
          ? [["definition LIKE ? ESCAPE '\\'", [`%/${like(filter.definition)}`]] as [string, string[]]]
          : []),
        ...(filter.createdBefore ? [['created_at < ?', [filter.createdBefore]] as [string, number[]]] : []),
        ...(filter.createdAfter ? [['created_at > ?', [filter.createdAfter]] as [string, number[]]] : []),
      ];
      const where = conditions.map(([condition]) => condition).join(' AND ');
      return db
        .prepare(
          `SELECT job FROM batch_jobs WHERE ${where} ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?`,
        )
        .all(...conditions.flatMap(([, values]) => values), count, offset)
        .map(toJob);
    },
    /** Forgets jobs that ended before this time. */
    forgetEndedBefore(time: number): void {
      db.prepare('DELETE FROM batch_jobs WHERE stopped_at < ?').run(time);
    },

    nextRevision(name: string): number {
      const row = db
        .prepare('SELECT coalesce(max(revision), 0) + 1 AS next FROM batch_definitions WHERE name = ?')
        .get(name);
      return Number(row?.next);
    },
    saveDefinition(definition: JobDefinition): void {
      db.prepare('INSERT OR REPLACE INTO batch_definitions VALUES (?, ?, ?, ?)').run(
        definition.jobDefinitionName,
        definition.revision,
        definition.status,
        JSON.stringify(definition),
      );
    },
    definition(name: string, revision: number): JobDefinition | undefined {
      const row = db
        .prepare('SELECT definition FROM batch_definitions WHERE name = ? AND revision = ?')
        .get(name, revision);
      return row && toDefinition(row);
    },
    latestActive(name: string): JobDefinition | undefined {
      const row = db
        .prepare(
          "SELECT definition FROM batch_definitions WHERE name = ? AND status = 'ACTIVE' ORDER BY revision DESC LIMIT 1",
        )
        .get(name);
      return row && toDefinition(row);
    },
    definitions(
      name: string | undefined,
      status: string | undefined,
      count: number,
      offset: number,
    ): JobDefinition[] {
      return db
        .prepare(
          'SELECT definition FROM batch_definitions WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY name, revision DESC LIMIT ?3 OFFSET ?4',
        )
        .all(name ?? null, status ?? null, count, offset)
        .map(toDefinition);
    },

    /** How far a container's log has been taken over, as `log-position.ts` writes it. */
    setLogPosition: (taskId: string, position: string) => void setPosition.run(taskId, position),
    logPosition(taskId: string): string | undefined {
      const row = db.prepare('SELECT position FROM batch_task_logs WHERE task_id = ?').get(taskId);
      return row && String(row.position);
    },
    forgetLogPosition: (taskId: string) =>
      void db.prepare('DELETE FROM batch_task_logs WHERE task_id = ?').run(taskId),
    /** Forgets those of all other tasks. */
    keepLogPositions: (taskIds: string[]) =>
      void db
        .prepare('DELETE FROM batch_task_logs WHERE task_id NOT IN (SELECT value FROM json_each(?))')
        .run(JSON.stringify(taskIds)),
  };
}
