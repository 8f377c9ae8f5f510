/** What is on record of scans: one for each image, the last. */
import type { DatabaseSync } from 'node:sqlite';
import type { Finding } from './advisories.ts';

/** Of ECR's, those that happen here. */
type ScanStatus = 'IN_PROGRESS' | 'COMPLETE' | 'FAILED' | 'FINDINGS_UNAVAILABLE';

export interface Outcome {
  status: Exclude<ScanStatus, 'IN_PROGRESS'>;
  description: string;
  findings: Finding[];
}

export interface Scan {
  repository: string;
  digest: string;
  status: ScanStatus;
  description: string;
  /** Epoch milliseconds. */
  startedAt: number;
  completedAt: number;
  findings: Finding[];
}

const schema = `CREATE TABLE IF NOT EXISTS ecr_scans (
  repository TEXT NOT NULL, digest TEXT NOT NULL, status TEXT NOT NULL, description TEXT NOT NULL,
  started_at INTEGER NOT NULL, completed_at INTEGER NOT NULL, findings TEXT NOT NULL, PRIMARY KEY (repository, digest),
  FOREIGN KEY (repository, digest) REFERENCES ecr_images ON DELETE CASCADE) STRICT`;

export function createScanStore(db: DatabaseSync) {
  db.exec(schema);
  const toScan = (row: Record<string, unknown>): Scan => ({
    repository: String(row.repository),
    digest: String(row.digest),
    status: row.status as ScanStatus,
    description: String(row.description),
    startedAt: Number(row.started_at),
    completedAt: Number(row.completed_at),
    findings: JSON.parse(String(row.findings)) as Finding[],
  });
  return {
    find(repository: string, digest: string): Scan | undefined {
      const row = db
        .prepare('SELECT * FROM ecr_scans WHERE repository = ? AND digest = ?')
        .get(repository, digest);
      return row && toScan(row);
    },
    /** Begun and not ended, by a process before this one too. */
    unfinished: (): Scan[] =>
      db.prepare("SELECT * FROM ecr_scans WHERE status = 'IN_PROGRESS'").all().map(toScan),
    begin(repository: string, digest: string, now: number): void {
      db.prepare("INSERT OR REPLACE INTO ecr_scans VALUES (?, ?, 'IN_PROGRESS', '', ?, 0, '[]')").run(
        repository,
        digest,
        now,
      );
    },
    /** Does nothing where the image, and its scan with it, has gone meanwhile. */
    end(repository: string, digest: string, { status, description, findings }: Outcome, now: number): void {
      db.prepare(
        'UPDATE ecr_scans SET status = ?, description = ?, completed_at = ?, findings = ? WHERE repository = ? AND digest = ?',
      ).run(status, description, now, JSON.stringify(findings), repository, digest);
    },
  };
}
