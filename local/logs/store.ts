/** Where log events live: one row each, in the order in which AWS reads them (time, then arrival). */
import type { Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';

/** Services cut their lines at 256 KiB less what CloudWatch adds to each event. */
const maxLineBytes = 262_118;

export interface LogLine {
  /** Epoch milliseconds. */
  timestamp: number;
  message: string;
}

/** What a line becomes: nothing where it is empty, several events where it is longer than one may be. */
export function asEvents({ timestamp, message }: LogLine): LogLine[] {
  if (Buffer.byteLength(message) <= maxLineBytes) return message === '' ? [] : [{ timestamp, message }];
  const bytes = Buffer.from(message);
  const events: LogLine[] = [];
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + maxLineBytes, bytes.length);
    // Never within a character: its second and later bytes begin with the bits 10.
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    // A line feed alone would be one more line, an empty one.
    if (end === bytes.length - 1 && bytes[end] === 0x0a) end = bytes.length;
    events.push({ timestamp, message: bytes.toString('utf8', start, end) });
    start = end;
  }
  return events;
}

export interface StoredEvent extends LogLine {
  id: number;
  ingestionTime: number;
}

/** A place between events: everything up to (timestamp, id) lies before it. */
export interface Position {
  timestamp: number;
  id: number;
}

export interface LogStream {
  id: number;
  name: string;
  createdAt: number;
}

/** What AWS counts of an event against page and batch sizes. */
export const eventBytes = (message: string): number => Buffer.byteLength(message) + 26;

export type LogStore = ReturnType<typeof openLogStore>;

export function openLogStore(cloud: Cloud) {
  const { db } = cloud;
  db.exec(`
    CREATE TABLE IF NOT EXISTS logs_groups (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL, retention_days INTEGER);
    CREATE TABLE IF NOT EXISTS logs_streams (
      id INTEGER PRIMARY KEY, group_name TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL,
      UNIQUE (group_name, name));
    CREATE TABLE IF NOT EXISTS logs_events (
      stream_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, id INTEGER NOT NULL, ingested_at INTEGER NOT NULL,
      message TEXT NOT NULL, PRIMARY KEY (stream_id, timestamp, id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS logs_sequence (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL);
    INSERT OR IGNORE INTO logs_sequence VALUES (1, 0);
  `);
  const findGroup = db.prepare(
    'SELECT name, retention_days AS retentionDays FROM logs_groups WHERE name = ?',
  );
  const addGroup = db.prepare('INSERT OR IGNORE INTO logs_groups (name, created_at) VALUES (?, ?)');
  const findStream = db.prepare(
    'SELECT id, name, created_at AS createdAt FROM logs_streams WHERE group_name = ? AND name = ?',
  );
  const addStream = db.prepare(
    'INSERT OR IGNORE INTO logs_streams (group_name, name, created_at) VALUES (?, ?, ?)',
  );
  const nextIds = db.prepare('UPDATE logs_sequence SET last = last + ? RETURNING last');
  const addEvent = db.prepare('INSERT INTO logs_events VALUES (?, ?, ?, ?, ?)');
  const columns = 'timestamp, id, ingested_at AS ingestionTime, message';
  const after =
    db.prepare(`SELECT ${columns} FROM logs_events WHERE stream_id = ? AND (timestamp, id) > (?, ?)
    AND timestamp >= ? AND timestamp < ? ORDER BY timestamp, id LIMIT ?`);
  const before =
    db.prepare(`SELECT ${columns} FROM logs_events WHERE stream_id = ? AND (timestamp, id) < (?, ?)
    AND timestamp >= ? AND timestamp < ? ORDER BY timestamp DESC, id DESC LIMIT ?`);
  // Each part is one step in the primary key; a MIN and a MAX together would read the whole stream.
  const bounds = db.prepare(`SELECT
    (SELECT timestamp FROM logs_events WHERE stream_id = ?1 ORDER BY timestamp, id LIMIT 1) AS first,
    (SELECT timestamp FROM logs_events WHERE stream_id = ?1 ORDER BY timestamp DESC, id DESC LIMIT 1) AS last,
    (SELECT ingested_at FROM logs_events WHERE stream_id = ?1 ORDER BY timestamp DESC, id DESC LIMIT 1) AS ingested`);
  const now = (): number => cloud.now().getTime();

  return {
    declareGroup(name: string, retentionDays: number | undefined): void {
      addGroup.run(name, now());
      db.prepare('UPDATE logs_groups SET retention_days = ? WHERE name = ?').run(retentionDays ?? null, name);
    },
    group: (name: string) =>
      findGroup.get(name) as { name: string; retentionDays: number | null } | undefined,
    groups: () =>
      db
        .prepare(
          'SELECT name, created_at AS createdAt, retention_days AS retentionDays FROM logs_groups ORDER BY name',
        )
        .all() as unknown as { name: string; createdAt: number; retentionDays: number | null }[],
    stream: (group: string, name: string) => findStream.get(group, name) as LogStream | undefined,
    streams: (group: string) =>
      db
        .prepare(
          'SELECT id, name, created_at AS createdAt FROM logs_streams WHERE group_name = ? ORDER BY name',
        )
        .all(group) as unknown as LogStream[],
    /** False where the stream was there already. */
    addStream: (group: string, name: string): boolean => addStream.run(group, name, now()).changes === 1,
    ensureStream(group: string, name: string): LogStream {
      const found = findStream.get(group, name);
      if (!found) {
        addGroup.run(group, now());
        addStream.run(group, name, now());
      }
      return (found ?? findStream.get(group, name)) as unknown as LogStream;
    },
    append(stream: LogStream, lines: LogLine[]): void {
      transaction(db, () => {
        const last = Number(nextIds.get(lines.length)?.last);
        const ingestedAt = now();
        let id = last - lines.length;
        for (const line of lines) addEvent.run(stream.id, line.timestamp, ++id, ingestedAt, line.message);
      });
    },
    /** Up to `limit` events after a position, oldest first; `start` inclusive, `end` exclusive (epoch ms). */
    after: (stream: LogStream, at: Position, start: number, end: number, limit: number) =>
      after.iterate(stream.id, at.timestamp, at.id, start, end, limit) as unknown as Iterable<StoredEvent>,
    /** The same before a position, newest first. */
    before: (stream: LogStream, at: Position, start: number, end: number, limit: number) =>
      before.iterate(stream.id, at.timestamp, at.id, start, end, limit) as unknown as Iterable<StoredEvent>,
    bounds: (stream: LogStream) =>
      bounds.get(stream.id) as { first: number | null; last: number | null; ingested: number | null },
    /** Deletes what has outlived its group's retention. */
    expire(): void {
      db.prepare(
        `DELETE FROM logs_events WHERE EXISTS (SELECT 1 FROM logs_streams s JOIN logs_groups g ON g.name = s.group_name
          WHERE s.id = stream_id AND g.retention_days IS NOT NULL AND timestamp < ? - g.retention_days * 86400000)`,
      ).run(now());
    },
  };
}
