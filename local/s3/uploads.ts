/** Multipart uploads that are not complete: rows in SQLite, a file for each part. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AwsError, type Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';
import type { Received } from './receiving.ts';

export interface Upload {
  id: string;
  bucket: string;
  key: string;
  /** Of the object to be. */
  headers: Record<string, string>;
  /** That the client has asked for: of each part, and of the whole. */
  algorithm?: string;
  type: 'COMPOSITE' | 'FULL_OBJECT';
  /** Epoch milliseconds. */
  startedAt: number;
}

export interface Part extends Received {
  number: number;
  file: string;
  modifiedAt: number;
}

export type UploadStore = ReturnType<typeof openUploadStore>;

const noSuchUpload = (id: string): AwsError =>
  new AwsError(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    404,
    { UploadId: id },
  );

export function openUploadStore(cloud: Cloud) {
  const { db } = cloud;
  const root = join(cloud.home, 's3/parts');
  mkdirSync(root, { recursive: true });
  db.exec(`
    CREATE TABLE IF NOT EXISTS s3_uploads (
      id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, upload TEXT NOT NULL, started_at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS s3_parts (
      upload_id TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, part TEXT NOT NULL,
      PRIMARY KEY (upload_id, number)) WITHOUT ROWID;
  `);
  const addPart = db.prepare('INSERT OR REPLACE INTO s3_parts VALUES (?, ?, ?, ?)');
  const parts = (id: string): Part[] =>
    db
      .prepare('SELECT part FROM s3_parts WHERE upload_id = ? ORDER BY number')
      .all(id)
      .map(({ part }) => JSON.parse(String(part)) as Part);
  const read = ({ upload }: Record<string, unknown>) => JSON.parse(String(upload)) as Upload;
  const pathOf = (file: string): string => join(root, file);
  const remove = (id: string): void => {
    const files = parts(id).map(({ file }) => file);
    transaction(db, () => {
      db.prepare('DELETE FROM s3_uploads WHERE id = ?').run(id);
      db.prepare('DELETE FROM s3_parts WHERE upload_id = ?').run(id);
    });
    for (const file of files) rmSync(pathOf(file), { force: true });
  };

  return {
    pathOf,
    parts,
    remove,
    create(asked: Omit<Upload, 'id' | 'startedAt'>): Upload {
      const startedAt = cloud.now().getTime();
      const upload: Upload = { ...asked, id: randomUUID().replaceAll('-', ''), startedAt };
      db.prepare('INSERT INTO s3_uploads VALUES (?, ?, ?, ?, ?)').run(
        upload.id,
        upload.bucket,
        upload.key,
        JSON.stringify(upload),
        startedAt,
      );
      return upload;
    },
    /** Throws `NoSuchUpload`, for an upload of another object too. */
    find(id: string, bucket: string, key: string): Upload {
      const row = db
        .prepare('SELECT upload FROM s3_uploads WHERE id = ? AND bucket = ? AND key = ?')
        .get(id, bucket, key);
      if (!row) throw noSuchUpload(id);
      return read(row);
    },
    list: (bucket: string): Upload[] =>
      db
        .prepare('SELECT upload FROM s3_uploads WHERE bucket = ? ORDER BY key, started_at, id')
        .all(bucket)
        .map(read),
    /** Makes the file at `incomingPath` the part; one of that number there was before is replaced. */
    keep(upload: Upload, number: number, received: Received, incomingPath: string): Part {
      const part = { ...received, number, file: randomUUID(), modifiedAt: cloud.now().getTime() };
      const replaced = transaction(db, () => {
        // Completed or aborted meanwhile.
        if (!db.prepare('SELECT id FROM s3_uploads WHERE id = ?').get(upload.id))
          throw noSuchUpload(upload.id);
        const earlier = parts(upload.id).find((one) => one.number === number);
        renameSync(incomingPath, pathOf(part.file));
        addPart.run(upload.id, number, part.file, JSON.stringify(part));
        return earlier;
      });
      if (replaced) rmSync(pathOf(replaced.file), { force: true });
      return part;
    },
    /** Removes files whose row never came, or has gone. */
    sweep(): void {
      const known = new Set(
        db
          .prepare('SELECT file FROM s3_parts')
          .all()
          .map(({ file }) => String(file)),
      );
      for (const file of readdirSync(root)) if (!known.has(file)) rmSync(pathOf(file), { force: true });
    },
  };
}
