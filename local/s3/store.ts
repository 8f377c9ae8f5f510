/**
 * Objects: bytes in files, everything else in SQLite. A file gets a name of its own and is only ever replaced by
 * another; the row that names it is the moment of the write. Files without a row are left-overs of a death.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AwsError, type Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';

export interface StoredObject {
  bucket: string;
  key: string;
  sizeBytes: number;
  /** MD5 in hex, without quotes. */
  etag: string;
  /** Epoch milliseconds, whole seconds. */
  modifiedAt: number;
  checksums: Record<string, string>;
  /** Content headers and `x-amz-meta-*`, as they will be answered. */
  headers: Record<string, string>;
  file: string;
}

/** What must hold of the object there is (or isn't) at the very moment of a write. */
export type WriteCondition = (existing: StoredObject | undefined) => void;

export type ObjectStore = ReturnType<typeof openObjectStore>;

const columns = `bucket, key, size_bytes AS sizeBytes, etag, modified_at AS modifiedAt, checksums, headers, file`;

export function openObjectStore(cloud: Cloud) {
  const { db } = cloud;
  const root = join(cloud.home, 's3');
  const incoming = join(root, 'incoming');
  mkdirSync(incoming, { recursive: true });
  db.exec(`
    CREATE TABLE IF NOT EXISTS s3_buckets (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS s3_objects (
      bucket TEXT NOT NULL, key TEXT NOT NULL, size_bytes INTEGER NOT NULL, etag TEXT NOT NULL,
      modified_at INTEGER NOT NULL, checksums TEXT NOT NULL, headers TEXT NOT NULL, file TEXT NOT NULL,
      PRIMARY KEY (bucket, key)) WITHOUT ROWID;
  `);
  const find = db.prepare(`SELECT ${columns} FROM s3_objects WHERE bucket = ? AND key = ?`);
  const upsert = db.prepare('INSERT OR REPLACE INTO s3_objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const drop = db.prepare('DELETE FROM s3_objects WHERE bucket = ? AND key = ?');
  const after = db.prepare(
    `SELECT ${columns} FROM s3_objects WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?`,
  );
  const from = db.prepare(
    `SELECT ${columns} FROM s3_objects WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?`,
  );
  const read = (row: Record<string, unknown> | undefined): StoredObject | undefined =>
    row && {
      ...(row as unknown as StoredObject),
      checksums: JSON.parse(String(row.checksums)),
      headers: JSON.parse(String(row.headers)),
    };
  const object = (bucket: string, key: string): StoredObject | undefined => read(find.get(bucket, key));
  const pathOf = (file: string): string => join(root, 'objects', file.slice(0, 2), file);

  return {
    declareBucket(name: string): void {
      db.prepare('INSERT OR IGNORE INTO s3_buckets VALUES (?, ?)').run(name, cloud.now().getTime());
    },
    bucket: (name: string) =>
      db.prepare('SELECT name, created_at AS createdAt FROM s3_buckets WHERE name = ?').get(name) as
        | { name: string; createdAt: number }
        | undefined,
    buckets: () =>
      db.prepare('SELECT name, created_at AS createdAt FROM s3_buckets ORDER BY name').all() as unknown as {
        name: string;
        createdAt: number;
      }[],
    object,
    pathOf,
    newIncomingPath: (): string => join(incoming, randomUUID()),
    copyToIncoming(file: string): string {
      const path = join(incoming, randomUUID());
      copyFileSync(pathOf(file), path, constants.COPYFILE_FICLONE);
      return path;
    },
    /** Makes the file at `incomingPath` the object's content, if `condition` still holds. */
    commit(
      written: Omit<StoredObject, 'file' | 'modifiedAt'>,
      incomingPath: string,
      condition: WriteCondition,
    ): StoredObject {
      const file = randomUUID();
      const path = pathOf(file);
      mkdirSync(join(path, '..'), { recursive: true });
      const modifiedAt = Math.floor(cloud.now().getTime() / 1000) * 1000;
      const replaced = transaction(db, () => {
        const existing = object(written.bucket, written.key);
        condition(existing);
        // Inside the transaction: a row never names a file that isn't there.
        renameSync(incomingPath, path);
        upsert.run(
          written.bucket,
          written.key,
          written.sizeBytes,
          written.etag,
          modifiedAt,
          JSON.stringify(written.checksums),
          JSON.stringify(written.headers),
          file,
        );
        return existing;
      });
      if (replaced) rmSync(pathOf(replaced.file), { force: true });
      return { ...written, modifiedAt, file };
    },
    remove(bucket: string, key: string, condition: WriteCondition = () => undefined): void {
      const removed = transaction(db, () => {
        const existing = object(bucket, key);
        condition(existing);
        if (existing) drop.run(bucket, key);
        return existing;
      });
      if (removed) rmSync(pathOf(removed.file), { force: true });
    },
    /** Objects in key order (UTF-8 bytes), beginning at or after `key`. */
    scan: (bucket: string, key: string, inclusive: boolean, limit: number): StoredObject[] =>
      (inclusive ? from : after).all(bucket, key, limit).flatMap((row) => read(row) ?? []),
    /** Removes half-written uploads and files whose row never came, or whose row has gone. */
    sweep(): void {
      for (const name of readdirSync(incoming)) rmSync(join(incoming, name), { force: true });
      mkdirSync(join(root, 'objects'), { recursive: true });
      const known = new Set(
        db
          .prepare('SELECT file FROM s3_objects')
          .all()
          .map((row) => String(row.file)),
      );
      for (const folder of readdirSync(join(root, 'objects')))
        for (const file of readdirSync(join(root, 'objects', folder)))
          if (!known.has(file)) rmSync(pathOf(file), { force: true });
    },
  };
}

export const noSuchBucket = (name: string): AwsError =>
  new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: name });
export const noSuchKey = (key: string): AwsError =>
  new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key });
