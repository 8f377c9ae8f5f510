/**
 * One mail for one build. SES knows no idempotency, so whoever sends claims the mail first, by a conditional write. A
 * refusal gives the claim back; a claim whose holder died is left as it is, since nobody knows whether it was sent.
 */
import { isRejected, type Mail, type Message } from '../aws/mail.ts';
import type { Logs } from '../log/log.ts';
import { advance, type NewEvent } from '../store/advance.ts';
import { getSettings } from '../store/settings.ts';
import type { Table } from '../store/table.ts';
import { messageFor } from './mail-text.ts';
import { newPageKey, pageUrl } from './page-link.ts';
import type { BuildRecord, MailState } from './record.ts';
import { onTimeline } from './timeline.ts';

export interface MailDependencies {
  table: Table;
  mail: Mail;
  logs: Logs;
  apiUrl: string;
  now: () => Date;
}

const attemptsAtMost = 8;
/** Longer than any function lives: the claim's holder is dead. */
const claimSeconds = 600;
const lastLines = 20;

export async function mailBuild(
  dependencies: MailDependencies,
  organisation: string,
  { id }: Pick<BuildRecord, 'id'>,
): Promise<void> {
  const { table, mail, logs, apiUrl, now } = dependencies;
  const { settings } = await getSettings(table, organisation);
  const pageKey = newPageKey();
  const claimed = await advance<BuildRecord>(table, { organisation, collection: 'builds', id }, (current) => {
    if (current.mail === 'claimed' && isAbandoned(current, now()))
      return entry(current, 'unknown', now(), {
        code: 'mail-unconfirmed',
        message:
          "The sender crashed mid-send. The email may have been delivered; Slipway won't send it again.",
      });
    if (current.mail !== 'due') return undefined;
    const to = recipients(current.author, settings.notifications.recipients);
    const told = { code: 'mail-claimed', message: `Sending an email to ${to.join(', ')}.` };
    return entry(current, 'claimed', now(), told, { pageKeyHash: pageKey.hash });
  });
  if (!claimed?.moved || claimed.record.mail !== 'claimed') return;
  const record = claimed.record;
  const to = recipients(record.author, settings.notifications.recipients);
  // The mail is claimed by now, so that nobody else would send it: one without the log's last lines is better than none.
  const ofLog = () => logs.last(organisation, id, lastLines).catch(() => []);
  const tail = record.failure?.lastLines ?? (await ofLog()).map(({ text }) => text);
  let outcome: MailState = 'sent';
  let told: Pick<NewEvent, 'code' | 'message' | 'detail'>;
  try {
    const { messageId, reached, refusal } = await sendTo(
      mail,
      to,
      messageFor(record, tail, pageUrl(apiUrl, organisation, id, pageKey)),
    );
    const others = to.slice(1).join(', ');
    const missed =
      refusal === undefined
        ? ''
        : ` SES refused to send it to all recipients, so ${others} did not get it: ${refusal}`;
    told = {
      code: 'mail-sent',
      message: `Sent an email to ${reached.join(', ')}.${missed}`,
      detail: { messageId },
    };
  } catch (error) {
    const last = (record.mailAttempts ?? 0) + 1 >= attemptsAtMost;
    outcome = last ? 'failed' : 'due';
    told = {
      code: 'mail-failed',
      message: `SES refused the email. Slipway ${last ? "won't" : 'will'} try again. ${(error as Error).message}`,
    };
  }
  await advance<BuildRecord>(table, { organisation, collection: 'builds', id }, (current) =>
    current.mail === 'claimed'
      ? entry(current, outcome, now(), told, { mailAttempts: (current.mailAttempts ?? 0) + 1 })
      : undefined,
  );
}

/** To all, or, where one address has it refused for all, to the first of them: the author. */
async function sendTo(
  mail: Mail,
  to: string[],
  message: Omit<Message, 'to'>,
): Promise<{ messageId: string; reached: string[]; refusal?: string }> {
  try {
    return { messageId: await mail.send({ to, ...message }), reached: to };
  } catch (error) {
    if (!isRejected(error) || to.length === 1) throw error;
    const reached = to.slice(0, 1);
    return { messageId: await mail.send({ to: reached, ...message }), reached, refusal: error.message };
  }
}

/** The claim is the last thing that was written of the build. */
const isAbandoned = (record: BuildRecord, now: Date) =>
  now.getTime() - Date.parse(record.updatedAt) > claimSeconds * 1000;

function entry(
  current: BuildRecord,
  mail: MailState,
  now: Date,
  told: Pick<NewEvent, 'code' | 'message' | 'detail'>,
  more: Partial<BuildRecord> = {},
) {
  const time = now.toISOString();
  const timeline = onTimeline(current, [{ time, ...told }]);
  return {
    set: { mail, updatedAt: time, lastEventAt: timeline.lastEventAt, ...more },
    events: timeline.events,
  };
}

/** SES takes no mail to more. Settings hold 49 besides the author; those of older deployments may hold one more. */
const mostAddresses = 50;

/** The author and the organisation's recipients, each once. */
function recipients(author: string, others: string[]): string[] {
  const found = new Map([author, ...others].map((address) => [address.toLowerCase(), address]));
  return [...found.values()].slice(0, mostAddresses);
}
