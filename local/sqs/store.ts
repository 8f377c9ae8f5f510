/** Queues and messages in SQLite. A message in flight is one whose `visible_at` lies ahead. */
import { createHash, randomUUID } from 'node:crypto';
import { AwsError, type Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';

export interface Queue {
  name: string;
  arn: string;
  url: string;
  visibilityTimeoutSeconds: number;
  retentionSeconds: number;
  delaySeconds: number;
  waitTimeSeconds: number;
  maxMessageBytes: number;
  redrive?: { deadLetterArn: string; maxReceiveCount: number };
}

export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  /** Base64. */
  BinaryValue?: string;
}

export interface Message {
  id: string;
  body: string;
  attributes: Record<string, MessageAttribute>;
  sender: string;
  sentAt: number;
  receivedAt: number | null;
  receiveCount: number;
  /** A new one for every receipt. */
  receipt: string;
}

export const md5 = (text: string | Buffer): string => createHash('md5').update(text).digest('hex');

export const noSuchQueue = (): AwsError =>
  new AwsError('QueueDoesNotExist', 'The specified queue does not exist.', 400);

export type QueueStore = ReturnType<typeof openQueueStore>;

const columns = `id, body, attributes, sender, sent_at AS sentAt, received_at AS receivedAt, receive_count AS receiveCount, receipt`;

export function openQueueStore(cloud: Cloud) {
  const { db } = cloud;
  db.exec(`
    CREATE TABLE IF NOT EXISTS sqs_messages (
      queue TEXT NOT NULL, id TEXT PRIMARY KEY, body TEXT NOT NULL, attributes TEXT NOT NULL, sender TEXT NOT NULL,
      sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL, received_at INTEGER, receive_count INTEGER NOT NULL,
      receipt TEXT);
    CREATE INDEX IF NOT EXISTS sqs_messages_by_visibility ON sqs_messages (queue, visible_at);
  `);
  const queues = new Map<string, Queue>();
  const now = (): number => cloud.now().getTime();
  const insert = db.prepare('INSERT INTO sqs_messages VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 0, NULL)');
  const due = db.prepare(
    `SELECT ${columns} FROM sqs_messages WHERE queue = ? AND visible_at <= ? AND sent_at > ? ORDER BY visible_at, sent_at LIMIT ?`,
  );
  const take = db.prepare(
    'UPDATE sqs_messages SET visible_at = ?, received_at = COALESCE(received_at, ?), receive_count = receive_count + 1, receipt = ? WHERE id = ?',
  );
  const counts = db.prepare(`SELECT
    COALESCE(SUM(visible_at <= ?1), 0) AS visible,
    COALESCE(SUM(visible_at > ?1 AND receipt IS NOT NULL), 0) AS inFlight,
    COALESCE(SUM(visible_at > ?1 AND receipt IS NULL), 0) AS delayed
    FROM sqs_messages WHERE queue = ?2 AND sent_at > ?3`);

  return {
    declare: (queue: Queue) => void queues.set(queue.arn, queue),
    clear: () => queues.clear(),
    all: () => [...queues.values()],
    byArn: (arn: string) => queues.get(arn),
    send(
      queue: Queue,
      message: {
        body: string;
        attributes: Record<string, MessageAttribute>;
        sender: string;
        delaySeconds?: number;
      },
    ): string {
      const id = randomUUID();
      const delayMs = (message.delaySeconds ?? queue.delaySeconds) * 1000;
      const attributes = JSON.stringify(message.attributes);
      insert.run(queue.name, id, message.body, attributes, message.sender, now(), now() + delayMs);
      return id;
    },
    /** Up to `limit` messages, hidden from others from now on; those received too often move to the dead-letter queue. */
    receive(queue: Queue, limit: number, visibilityTimeoutSeconds: number): Message[] {
      return transaction(db, () => {
        const found = due.all(queue.name, now(), now() - queue.retentionSeconds * 1000, limit);
        return found.flatMap((row): Message[] => {
          const dead = queue.redrive && queues.get(queue.redrive.deadLetterArn);
          if (dead && queue.redrive && Number(row.receiveCount) >= queue.redrive.maxReceiveCount) {
            db.prepare('UPDATE sqs_messages SET queue = ?, visible_at = ?, receipt = NULL WHERE id = ?').run(
              dead.name,
              now(),
              String(row.id),
            );
            return [];
          }
          const receipt = randomUUID();
          take.run(now() + visibilityTimeoutSeconds * 1000, now(), receipt, String(row.id));
          return [
            {
              ...(row as unknown as Message),
              attributes: JSON.parse(String(row.attributes)),
              receivedAt: Number(row.receivedAt ?? now()),
              receiveCount: Number(row.receiveCount) + 1,
              receipt,
            },
          ];
        });
      });
    },
    /** Also of a receipt that is no longer the last: SQS then leaves the message, and says nothing. */
    remove: (queue: Queue, receipt: string) =>
      void db.prepare('DELETE FROM sqs_messages WHERE queue = ? AND receipt = ?').run(queue.name, receipt),
    /** False where the receipt is not (or no longer) that of a message in flight. */
    setVisibility: (queue: Queue, receipt: string, seconds: number): boolean =>
      db
        .prepare('UPDATE sqs_messages SET visible_at = ? WHERE queue = ? AND receipt = ? AND visible_at > ?')
        .run(now() + seconds * 1000, queue.name, receipt, now()).changes === 1,
    counts: (queue: Queue) =>
      counts.get(now(), queue.name, now() - queue.retentionSeconds * 1000) as {
        visible: number;
        inFlight: number;
        delayed: number;
      },
    purge: (queue: Queue) => void db.prepare('DELETE FROM sqs_messages WHERE queue = ?').run(queue.name),
    expire(): void {
      for (const queue of queues.values())
        db.prepare('DELETE FROM sqs_messages WHERE queue = ? AND sent_at <= ?').run(
          queue.name,
          now() - queue.retentionSeconds * 1000,
        );
    },
  };
}
