/** Builds in the database. */
import type { DatabaseSync } from 'node:sqlite';
import type { Build } from './build.ts';

const schema = `
CREATE TABLE IF NOT EXISTS codebuild_builds (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, number INTEGER NOT NULL, started_at INTEGER NOT NULL, status TEXT NOT NULL,
  token TEXT, request TEXT NOT NULL, build TEXT NOT NULL, UNIQUE (project, number)) STRICT;
CREATE INDEX IF NOT EXISTS codebuild_builds_by_status ON codebuild_builds (status, started_at);
CREATE INDEX IF NOT EXISTS codebuild_builds_by_token ON codebuild_builds (token) WHERE token IS NOT NULL;
`;

export type BuildStore = ReturnType<typeof createBuildStore>;

export function createBuildStore(db: DatabaseSync) {
  db.exec(schema);
  const update = db.prepare('UPDATE codebuild_builds SET status = ?, build = ? WHERE id = ?');
  return {
    nextNumber(project: string): number {
      const row = db
        .prepare('SELECT coalesce(max(number), 0) + 1 AS next FROM codebuild_builds WHERE project = ?')
        .get(project);
      return Number(row?.next);
    },
    /** `request` is what the idempotency token stands for. */
    insert(build: Build, token: string | undefined, request: string): void {
      db.prepare('INSERT INTO codebuild_builds VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        build.id,
        build.projectName,
        build.number,
        build.startedAt,
        build.status,
        token ?? null,
        request,
        JSON.stringify(build),
      );
    },
    save: (build: Build) => update.run(build.status, JSON.stringify(build), build.id),
    get(id: string): Build | undefined {
      const row = db.prepare('SELECT build FROM codebuild_builds WHERE id = ?').get(id);
      return row && (JSON.parse(String(row.build)) as Build);
    },
    byToken(token: string, since: number): { build: Build; request: string } | undefined {
      const row = db
        .prepare(
          'SELECT build, request FROM codebuild_builds WHERE token = ? AND started_at > ? ORDER BY started_at DESC LIMIT 1',
        )
        .get(token, since);
      return row && { build: JSON.parse(String(row.build)) as Build, request: String(row.request) };
    },
    inProgress(): Build[] {
      const rows = db
        .prepare(
          "SELECT build FROM codebuild_builds WHERE status = 'IN_PROGRESS' ORDER BY started_at, number",
        )
        .all();
      return rows.map((row) => JSON.parse(String(row.build)) as Build);
    },
    allIds(ascending: boolean): string[] {
      const order = ascending ? 'ASC' : 'DESC';
      const rows = db
        .prepare(`SELECT id FROM codebuild_builds ORDER BY started_at ${order}, id ${order}`)
        .all();
      return rows.map((row) => String(row.id));
    },
    ids(project: string, ascending: boolean, count: number, offset: number): string[] {
      const rows = db
        .prepare(
          `SELECT id FROM codebuild_builds WHERE project = ? ORDER BY number ${ascending ? 'ASC' : 'DESC'} LIMIT ? OFFSET ?`,
        )
        .all(project, count, offset);
      return rows.map((row) => String(row.id));
    },
  };
}
