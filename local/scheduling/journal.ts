/**
 * Deliveries that are still to be made, written down before anything is tried: none is lost by a death, one may
 * come twice. What fails is retried with growing pauses, and ends in the target's dead-letter queue.
 */
import { AwsError, type Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';
import { type DeliverySource, type DeliveryTarget, deliverOnce, sendAs } from './delivery.ts';

interface Delivery {
  source: DeliverySource;
  target: DeliveryTarget;
  /** JSON text for the target, and what the dead-letter queue gets instead. */
  payload: string;
  deadLetter: { queueArn?: string; body: string };
  maxRetries: number;
  maxAgeSeconds: number;
  /** Epoch milliseconds; not before. */
  notBefore: number;
}

export interface DeliveryJournal {
  /** Writes down; to be called inside the transaction of what caused it. */
  add(delivery: Delivery): void;
  /** Delivers what is due. Runs once at a time; a call meanwhile makes it look again. */
  drain(): Promise<void>;
  /** When the next delivery is due, epoch milliseconds. */
  nextDueAt(): number | undefined;
}

const firstPauseMs = 1_000;
const longestPauseMs = 300_000;

/** Errors that another try would not change. */
const permanent: Record<string, string> = {
  AccessDeniedException: 'NO_PERMISSIONS',
  ResourceNotFoundException: 'NO_RESOURCE',
  StateMachineDoesNotExist: 'NO_RESOURCE',
  QueueDoesNotExist: 'NO_RESOURCE',
  InvalidExecutionInput: 'INVALID_JSON',
};

interface Row {
  id: number;
  delivery: string;
  attempts: number;
  first_at: number;
}

/** `owner` names the table, and so keeps journals of several services apart. */
export function createDeliveryJournal(cloud: Cloud, owner: 'events' | 'scheduler'): DeliveryJournal {
  const { db } = cloud;
  db.exec(`
    CREATE TABLE IF NOT EXISTS ${owner}_deliveries (
      id INTEGER PRIMARY KEY, delivery TEXT NOT NULL, attempts INTEGER NOT NULL, first_at INTEGER NOT NULL,
      next_at INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS ${owner}_deliveries_by_time ON ${owner}_deliveries (next_at);
  `);
  const insert = db.prepare(
    `INSERT INTO ${owner}_deliveries (delivery, attempts, first_at, next_at) VALUES (?, 0, ?, ?)`,
  );
  const due = db.prepare(
    `SELECT * FROM ${owner}_deliveries WHERE next_at <= ? ORDER BY next_at, id LIMIT 100`,
  );
  const remove = db.prepare(`DELETE FROM ${owner}_deliveries WHERE id = ?`);
  const postpone = db.prepare(`UPDATE ${owner}_deliveries SET attempts = ?, next_at = ? WHERE id = ?`);
  const earliest = db.prepare(`SELECT MIN(next_at) AS at FROM ${owner}_deliveries`);
  const now = (): number => cloud.now().getTime();
  let draining: Promise<void> | undefined;
  let again = false;

  function giveUp(delivery: Delivery, row: Row, code: string, error: Error, exhausted?: string): void {
    const { source, target, deadLetter } = delivery;
    const report = `${source.arn} could not reach ${target.arn}: ${error.message}`;
    if (!deadLetter.queueArn) {
      cloud.log(owner, `${report}; the event is lost, since the target has no dead-letter queue`);
      return;
    }
    const attributes: Record<string, string> = {
      [owner === 'events' ? 'RULE_ARN' : 'SCHEDULE_ARN']: source.arn,
      TARGET_ARN: target.arn,
      ERROR_CODE: code,
      ERROR_MESSAGE: error.message || code,
      RETRY_ATTEMPTS: String(row.attempts),
      ...(exhausted && { EXHAUSTED_RETRY_CONDITION: exhausted }),
    };
    try {
      const queue = { arn: deadLetter.queueArn, roleArn: target.roleArn };
      sendAs(cloud, queue, source, deadLetter.body, attributes);
      cloud.log(owner, `${report}; the event is in the dead-letter queue ${deadLetter.queueArn}`);
    } catch (refused) {
      cloud.log(
        owner,
        `${report}; the event is lost, since its dead-letter queue refused it: ${(refused as Error).message}`,
      );
    }
  }

  async function attempt(row: Row): Promise<void> {
    const delivery: Delivery = JSON.parse(row.delivery);
    try {
      await deliverOnce(cloud, delivery.target, delivery.source, delivery.payload);
      remove.run(row.id);
    } catch (thrown) {
      const error = thrown as Error;
      const code = error instanceof AwsError ? error.code : error.name;
      const attempts = row.attempts + 1;
      const pause = Math.min(firstPauseMs * 2 ** row.attempts, longestPauseMs);
      const isOld = now() + pause - row.first_at > delivery.maxAgeSeconds * 1000;
      const exhausted = isOld
        ? 'MaximumEventAgeInSeconds'
        : attempts > delivery.maxRetries
          ? 'MaximumRetryAttempts'
          : undefined;
      if (permanent[code] === undefined && exhausted === undefined) {
        postpone.run(attempts, now() + pause, row.id);
        return;
      }
      transaction(db, () => {
        giveUp(delivery, row, permanent[code] ?? code, error, permanent[code] ? undefined : exhausted);
        remove.run(row.id);
      });
    }
  }

  async function drainAll(): Promise<void> {
    do {
      again = false;
      for (;;) {
        const rows = due.all(now()) as unknown as Row[];
        if (rows.length === 0) break;
        // Together: a target that is slow to answer holds nobody else back.
        await Promise.all(rows.map(attempt));
      }
    } while (again);
  }

  return {
    add: (delivery) => void insert.run(JSON.stringify(delivery), now(), delivery.notBefore),
    drain() {
      again = true;
      draining ??= drainAll().finally(() => {
        draining = undefined;
      });
      return draining;
    },
    nextDueAt: () => (earliest.get()?.at as number | null) ?? undefined,
  };
}
