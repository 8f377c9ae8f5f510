/** Repositories, images and tags in the database; the blobs' bytes are in `blob-files.ts`. */
import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../transaction.ts';
import type { Encryption } from './encryption.ts';
import type { ParsedManifest } from './manifest.ts';
import type { TagMutability } from './tag-mutability.ts';

export interface Repository {
  name: string;
  createdAt: number;
  mutability: TagMutability;
  tags: { Key: string; Value: string }[];
  encryption: Encryption;
}

export interface StoredImage {
  repository: string;
  digest: string;
  mediaType: string;
  artifactType: string;
  bytes: Buffer;
  sizeBytes: number;
  /** Epoch milliseconds. */
  pushedAt: number;
  tags: string[];
}

const schema = `
CREATE TABLE IF NOT EXISTS ecr_repositories (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL, mutability TEXT NOT NULL, tags TEXT NOT NULL, encryption TEXT NOT NULL DEFAULT '{"encryptionType":"AES256"}') STRICT;
CREATE TABLE IF NOT EXISTS ecr_images (
  repository TEXT NOT NULL REFERENCES ecr_repositories ON DELETE CASCADE, digest TEXT NOT NULL, media_type TEXT NOT NULL,
  artifact_type TEXT NOT NULL, bytes BLOB NOT NULL, size_bytes INTEGER NOT NULL, pushed_at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)) STRICT;
CREATE TABLE IF NOT EXISTS ecr_tags (
  repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, tag),
  FOREIGN KEY (repository, digest) REFERENCES ecr_images ON DELETE CASCADE) STRICT;
CREATE TABLE IF NOT EXISTS ecr_references (
  repository TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
  PRIMARY KEY (repository, digest, kind, target),
  FOREIGN KEY (repository, digest) REFERENCES ecr_images ON DELETE CASCADE) STRICT;
CREATE INDEX IF NOT EXISTS ecr_references_by_target ON ecr_references (repository, kind, target);
CREATE TABLE IF NOT EXISTS ecr_blobs (
  repository TEXT NOT NULL REFERENCES ecr_repositories ON DELETE CASCADE, digest TEXT NOT NULL, size_bytes INTEGER NOT NULL,
  touched_at INTEGER NOT NULL, PRIMARY KEY (repository, digest)) STRICT;
CREATE INDEX IF NOT EXISTS ecr_blobs_by_digest ON ecr_blobs (digest);
CREATE TABLE IF NOT EXISTS ecr_uploads (
  id TEXT PRIMARY KEY, repository TEXT NOT NULL REFERENCES ecr_repositories ON DELETE CASCADE, begun_at INTEGER NOT NULL,
  sent_bytes INTEGER) STRICT;
`;

interface ImageRow {
  repository: string;
  digest: string;
  media_type: string;
  artifact_type: string;
  bytes: Uint8Array;
  size_bytes: number;
  pushed_at: number;
  tags: string | null;
}

const selectImages = `SELECT i.*, (SELECT json_group_array(tag) FROM ecr_tags t WHERE t.repository = i.repository AND t.digest = i.digest) AS tags FROM ecr_images i`;

export type EcrStore = ReturnType<typeof createEcrStore>;

export function createEcrStore(db: DatabaseSync) {
  db.exec(schema);
  addEncryption(db);
  const statements = {
    repository: db.prepare('SELECT * FROM ecr_repositories WHERE name = ?'),
    image: db.prepare(`${selectImages} WHERE i.repository = ? AND i.digest = ?`),
    tag: db.prepare('SELECT digest FROM ecr_tags WHERE repository = ? AND tag = ?'),
    blob: db.prepare('SELECT size_bytes FROM ecr_blobs WHERE repository = ? AND digest = ?'),
  };

  /** Of what is really there: a manifest may say anything. */
  function sizeOf(repository: string, { parts, manifests }: ParsedManifest): number {
    const own = parts.map((digest) => store.blobSize(repository, digest) ?? 0);
    const below = [...new Set(manifests)].map((digest) => store.image(repository, digest)?.sizeBytes ?? 0);
    return Math.min(
      Number.MAX_SAFE_INTEGER,
      [...own, ...below].reduce((sum, one) => sum + one, 0),
    );
  }

  const store = {
    createRepository(repository: Repository): void {
      db.prepare('INSERT INTO ecr_repositories VALUES (?, ?, ?, ?, ?)').run(
        repository.name,
        repository.createdAt,
        JSON.stringify(repository.mutability),
        JSON.stringify(repository.tags),
        JSON.stringify(repository.encryption),
      );
    },
    updateRepository(name: string, mutability: TagMutability, tags: Repository['tags']): void {
      db.prepare('UPDATE ecr_repositories SET mutability = ?, tags = ? WHERE name = ?').run(
        JSON.stringify(mutability),
        JSON.stringify(tags),
        name,
      );
    },
    repository(name: string): Repository | undefined {
      const row = statements.repository.get(name);
      return row && toRepository(row);
    },
    repositories: (): Repository[] =>
      db.prepare('SELECT * FROM ecr_repositories ORDER BY name').all().map(toRepository),
    deleteRepository: (name: string) => db.prepare('DELETE FROM ecr_repositories WHERE name = ?').run(name),

    image(repository: string, digest: string): StoredImage | undefined {
      const row = statements.image.get(repository, digest) as unknown as ImageRow | undefined;
      return row && toImage(row);
    },
    images(repository: string): StoredImage[] {
      const rows = db
        .prepare(`${selectImages} WHERE i.repository = ? ORDER BY i.pushed_at, i.digest`)
        .all(repository);
      return (rows as unknown as ImageRow[]).map(toImage);
    },
    digestOfTag(repository: string, tag: string): string | undefined {
      return (statements.tag.get(repository, tag) as { digest: string } | undefined)?.digest;
    },
    tags(repository: string): string[] {
      const rows = db.prepare('SELECT tag FROM ecr_tags WHERE repository = ? ORDER BY tag').all(repository);
      return rows.map((row) => String(row.tag));
    },
    /** Stores a manifest and, where given, moves the tag to it: both or neither. */
    putImage(
      repository: string,
      manifest: ParsedManifest,
      bytes: Buffer,
      tag: string | undefined,
      now: number,
    ): void {
      transaction(db, () => {
        db.prepare('INSERT OR IGNORE INTO ecr_images VALUES (?, ?, ?, ?, ?, ?, ?)').run(
          repository,
          manifest.digest,
          manifest.mediaType,
          manifest.artifactType ?? '',
          bytes,
          sizeOf(repository, manifest),
          now,
        );
        const refer = db.prepare('INSERT OR IGNORE INTO ecr_references VALUES (?, ?, ?, ?)');
        for (const blob of manifest.blobs) refer.run(repository, manifest.digest, 'blob', blob);
        for (const child of manifest.manifests) refer.run(repository, manifest.digest, 'manifest', child);
        if (manifest.subject) refer.run(repository, manifest.digest, 'subject', manifest.subject);
        if (tag !== undefined)
          db.prepare(
            'INSERT INTO ecr_tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET digest = excluded.digest',
          ).run(repository, tag, manifest.digest);
      });
    },
    deleteImage: (repository: string, digest: string) =>
      db.prepare('DELETE FROM ecr_images WHERE repository = ? AND digest = ?').run(repository, digest),
    deleteTag: (repository: string, tag: string) =>
      db.prepare('DELETE FROM ecr_tags WHERE repository = ? AND tag = ?').run(repository, tag),
    /** Images whose manifest refers to `target` as part of an index (`manifest`) or as what they are about (`subject`). */
    referrers(repository: string, kind: 'manifest' | 'subject', target: string): string[] {
      const rows = db
        .prepare(
          'SELECT digest FROM ecr_references WHERE repository = ? AND kind = ? AND target = ? ORDER BY digest',
        )
        .all(repository, kind, target);
      return rows.map((row) => String(row.digest));
    },

    /** Size of a blob that the repository has. */
    blobSize(repository: string, digest: string): number | undefined {
      return (statements.blob.get(repository, digest) as { size_bytes: number } | undefined)?.size_bytes;
    },
    linkBlob(repository: string, digest: string, sizeBytes: number, now: number): void {
      db.prepare(
        'INSERT INTO ecr_blobs VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET touched_at = excluded.touched_at',
      ).run(repository, digest, sizeBytes, now);
    },
    /** Forgets blobs that no image refers to and nobody asked for since `before` (epoch milliseconds). */
    unlinkUnused(before: number): void {
      db.prepare(
        `DELETE FROM ecr_blobs WHERE touched_at < ? AND NOT EXISTS (SELECT 1 FROM ecr_references r
           WHERE r.repository = ecr_blobs.repository AND r.kind = 'blob' AND r.target = ecr_blobs.digest)`,
      ).run(before);
    },
    beginUpload: (id: string, repository: string, now: number) =>
      db.prepare('INSERT INTO ecr_uploads VALUES (?, ?, ?, NULL)').run(id, repository, now),
    /** An upload to this repository; `sentBytes` once a part has come. */
    upload(id: string, repository: string): { sentBytes: number | undefined } | undefined {
      const row = db
        .prepare('SELECT sent_bytes FROM ecr_uploads WHERE id = ? AND repository = ?')
        .get(id, repository);
      return row && { sentBytes: row.sent_bytes === null ? undefined : Number(row.sent_bytes) };
    },
    noteSent: (id: string, sentBytes: number) =>
      db.prepare('UPDATE ecr_uploads SET sent_bytes = ? WHERE id = ?').run(sentBytes, id),
    endUpload: (id: string) => db.prepare('DELETE FROM ecr_uploads WHERE id = ?').run(id),
    forgetUploads: (before: number) => db.prepare('DELETE FROM ecr_uploads WHERE begun_at < ?').run(before),
    isBlobLinked: (digest: string): boolean =>
      db.prepare('SELECT 1 FROM ecr_blobs WHERE digest = ? LIMIT 1').get(digest) !== undefined,
  };
  return store;
}

/** To a table that is from before repositories had it. */
function addEncryption(db: DatabaseSync): void {
  const columns = db.prepare("SELECT name FROM pragma_table_info('ecr_repositories')").all();
  if (columns.some(({ name }) => name === 'encryption')) return;
  db.exec(
    `ALTER TABLE ecr_repositories ADD COLUMN encryption TEXT NOT NULL DEFAULT '{"encryptionType":"AES256"}'`,
  );
}

function toRepository(row: Record<string, unknown>): Repository {
  return {
    name: String(row.name),
    createdAt: Number(row.created_at),
    mutability: JSON.parse(String(row.mutability)) as TagMutability,
    tags: JSON.parse(String(row.tags)) as Repository['tags'],
    encryption: JSON.parse(String(row.encryption)) as Encryption,
  };
}

function toImage(row: ImageRow): StoredImage {
  return {
    repository: row.repository,
    digest: row.digest,
    mediaType: row.media_type,
    artifactType: row.artifact_type,
    bytes: Buffer.from(row.bytes),
    sizeBytes: row.size_bytes,
    pushedAt: row.pushed_at,
    tags: (JSON.parse(row.tags ?? '[]') as string[]).sort(),
  };
}
