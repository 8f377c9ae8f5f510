/** Secrets and their versions in SQLite, values sealed. */
import type { Cloud } from '../platform.ts';
import { openSealing } from '../sealing.ts';

export interface Tag {
  Key: string;
  Value: string;
}

export interface SecretRecord {
  arn: string;
  name: string;
  description: string | null;
  kmsKeyId: string | null;
  tags: Tag[];
  /** Epoch milliseconds, all of them. */
  createdAt: number;
  changedAt: number;
  accessedAt: number | null;
  /** When it was marked for deletion, and when it will be gone. */
  deletedAt: number | null;
  purgeAt: number | null;
  /** Digest of the template's properties, for declared secrets. */
  declaration: string | null;
}

export interface SecretValue {
  string?: string;
  /** Base64. */
  binary?: string;
}

export interface SecretVersion {
  id: string;
  stages: string[];
  createdAt: number;
  value: SecretValue;
}

export type SecretStore = ReturnType<typeof openSecretStore>;

const columns = `arn, name, description, kms_key_id AS kmsKeyId, tags, created_at AS createdAt,
  changed_at AS changedAt, accessed_at AS accessedAt, deleted_at AS deletedAt, purge_at AS purgeAt, declaration`;

export function openSecretStore(cloud: Cloud) {
  const { db } = cloud;
  db.exec(`
    CREATE TABLE IF NOT EXISTS secrets (
      arn TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT, kms_key_id TEXT, tags TEXT NOT NULL,
      created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, accessed_at INTEGER, deleted_at INTEGER,
      purge_at INTEGER, declaration TEXT);
    CREATE TABLE IF NOT EXISTS secrets_versions (
      arn TEXT NOT NULL REFERENCES secrets ON DELETE CASCADE, id TEXT NOT NULL, stages TEXT NOT NULL,
      created_at INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (arn, id));
  `);
  const sealing = openSealing(cloud);
  const now = (): number => cloud.now().getTime();
  const read = (row: unknown): SecretRecord | undefined => {
    if (!row) return undefined;
    const record = row as Omit<SecretRecord, 'tags'> & { tags: string };
    return { ...record, tags: JSON.parse(record.tags) };
  };
  const byArn = db.prepare(`SELECT ${columns} FROM secrets WHERE arn = ?`);
  const byName = db.prepare(`SELECT ${columns} FROM secrets WHERE name = ?`);
  const versionRows = db.prepare(
    'SELECT id, stages, created_at AS createdAt, sealed FROM secrets_versions WHERE arn = ? ORDER BY created_at, id',
  );

  return {
    byArn: (arn: string) => read(byArn.get(arn)),
    byName: (name: string) => read(byName.get(name)),
    all: () =>
      db
        .prepare(`SELECT ${columns} FROM secrets ORDER BY created_at, arn`)
        .all()
        .flatMap((row) => read(row) ?? []),
    add(
      record: Pick<SecretRecord, 'arn' | 'name' | 'description' | 'kmsKeyId' | 'tags' | 'declaration'>,
    ): void {
      db.prepare(
        `INSERT INTO secrets (arn, name, description, kms_key_id, tags, created_at, changed_at, declaration)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        record.arn,
        record.name,
        record.description,
        record.kmsKeyId,
        JSON.stringify(record.tags),
        now(),
        now(),
        record.declaration,
      );
    },
    update(record: SecretRecord): void {
      db.prepare(
        `UPDATE secrets SET description = ?, kms_key_id = ?, tags = ?, changed_at = ?, deleted_at = ?, purge_at = ?,
         declaration = ? WHERE arn = ?`,
      ).run(
        record.description,
        record.kmsKeyId,
        JSON.stringify(record.tags),
        now(),
        record.deletedAt,
        record.purgeAt,
        record.declaration,
        record.arn,
      );
    },
    accessed(arn: string): void {
      // AWS keeps the day only.
      const day = Math.floor(now() / 86_400_000) * 86_400_000;
      db.prepare('UPDATE secrets SET accessed_at = ? WHERE arn = ? AND accessed_at IS NOT ?').run(
        day,
        arn,
        day,
      );
    },
    remove(arn: string): void {
      db.prepare('DELETE FROM secrets_versions WHERE arn = ?').run(arn);
      db.prepare('DELETE FROM secrets WHERE arn = ?').run(arn);
    },
    /** Removes what has passed its recovery window. */
    purge(): void {
      for (const row of db.prepare('SELECT arn FROM secrets WHERE purge_at <= ?').all(now()))
        this.remove(String(row.arn));
    },
    versions: (arn: string): SecretVersion[] =>
      versionRows.all(arn).map((row) => ({
        id: String(row.id),
        stages: JSON.parse(String(row.stages)),
        createdAt: Number(row.createdAt),
        value: JSON.parse(sealing.open(row.sealed as Uint8Array, `${arn} ${row.id}`)),
      })),
    addVersion(arn: string, version: Pick<SecretVersion, 'id' | 'stages' | 'value'>): void {
      db.prepare('INSERT INTO secrets_versions VALUES (?, ?, ?, ?, ?)').run(
        arn,
        version.id,
        JSON.stringify(version.stages),
        now(),
        sealing.seal(JSON.stringify(version.value), `${arn} ${version.id}`),
      );
    },
    setStages(arn: string, id: string, stages: string[]): void {
      db.prepare('UPDATE secrets_versions SET stages = ? WHERE arn = ? AND id = ?').run(
        JSON.stringify(stages),
        arn,
        id,
      );
    },
    removeVersion(arn: string, id: string): void {
      db.prepare('DELETE FROM secrets_versions WHERE arn = ? AND id = ?').run(arn, id);
    },
  };
}
