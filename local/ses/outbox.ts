/** Where mail goes: a file for each message, and on to an SMTP server where one is configured. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport, type Transporter } from 'nodemailer';
import type { Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';
import type { Composed } from './message.ts';

export interface Outbox {
  /** Writes the message down; from then on it is not lost, and a started outbox on the same state hands it over. */
  accept(messageId: string, message: Composed, sentAt: Date): void;
  /** Takes up hand-overs that a death left, and retries those that failed. */
  start(): void;
  stop(): void;
  /** Accepted since a time (epoch milliseconds). */
  acceptedSince(time: number): number;
}

const firstPauseMs = 5_000;
const longestPauseMs = 600_000;
const retryEveryMs = 1_000;

interface HandOver {
  message_id: string;
  file: string;
  envelope: string;
  attempts: number;
}

/** Whether the server has refused this very message, so that another try would get the same answer. */
function isRefusal(error: { code?: string; responseCode?: number }): boolean {
  return (error.responseCode ?? 0) >= 500 && (error.code === 'EENVELOPE' || error.code === 'EMESSAGE');
}

/** Mail in `<home>/outbox`. `smtpUrl` such as `smtp://user:password@host:587`. */
export function createOutbox(cloud: Cloud, smtpUrl: string | undefined): Outbox {
  const { db } = cloud;
  const folder = join(cloud.home, 'outbox');
  mkdirSync(folder, { recursive: true });
  db.exec(`
    CREATE TABLE IF NOT EXISTS ses_accepted (message_id TEXT PRIMARY KEY, accepted_at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS ses_hand_overs (
      message_id TEXT PRIMARY KEY, file TEXT NOT NULL, envelope TEXT NOT NULL, attempts INTEGER NOT NULL,
      next_at INTEGER NOT NULL);
  `);
  const transport: Transporter | undefined = smtpUrl
    ? createTransport(smtpUrl, { disableUrlAccess: true })
    : undefined;
  const now = (): number => cloud.now().getTime();
  let stopRetrying = (): void => undefined;

  async function handOver(mail: HandOver, smtp: Transporter): Promise<void> {
    const done = (): void =>
      void db.prepare('DELETE FROM ses_hand_overs WHERE message_id = ?').run(mail.message_id);
    const path = join(folder, mail.file);
    try {
      await smtp.sendMail({ envelope: JSON.parse(mail.envelope), raw: { path } });
      done();
    } catch (error) {
      const reason = (error as Error).message;
      if (isRefusal(error as { code?: string; responseCode?: number })) {
        cloud.log('ses', `the SMTP server refused ${mail.file}, which stays in the outbox: ${reason}`);
        done();
        return;
      }
      const pauseMs = Math.min(firstPauseMs * 2 ** mail.attempts, longestPauseMs);
      cloud.log(
        'ses',
        `could not send ${mail.file} to the SMTP server; next attempt in ${pauseMs / 1000} s: ${reason}`,
      );
      db.prepare('UPDATE ses_hand_overs SET attempts = attempts + 1, next_at = ? WHERE message_id = ?').run(
        now() + pauseMs,
        mail.message_id,
      );
    }
  }

  return {
    accept(messageId, message, sentAt) {
      const file = `${sentAt.toISOString().replace(/[:.]/g, '-')}-${messageId}.eml`;
      const fresh = join(folder, `.${file}.incoming`);
      try {
        writeFileSync(fresh, message.source);
        transaction(db, () => {
          db.prepare('INSERT INTO ses_accepted VALUES (?, ?)').run(messageId, now());
          if (smtpUrl)
            db.prepare('INSERT INTO ses_hand_overs VALUES (?, ?, ?, 0, ?)').run(
              messageId,
              file,
              JSON.stringify({ from: message.from, to: message.recipients }),
              now(),
            );
          renameSync(fresh, join(folder, file));
        });
      } finally {
        rmSync(fresh, { force: true });
      }
    },
    start() {
      db.prepare('DELETE FROM ses_accepted WHERE accepted_at < ?').run(now() - 86_400_000);
      if (!transport) return;
      stopRetrying = cloud.every(retryEveryMs, 'mail hand-over', async () => {
        const due = db
          .prepare('SELECT * FROM ses_hand_overs WHERE next_at <= ? ORDER BY next_at LIMIT 20')
          .all(now());
        for (const mail of due as unknown as HandOver[]) await handOver(mail, transport);
      });
    },
    stop() {
      stopRetrying();
      transport?.close();
    },
    acceptedSince: (time) =>
      Number(db.prepare('SELECT COUNT(*) AS n FROM ses_accepted WHERE accepted_at >= ?').get(time)?.n),
  };
}
