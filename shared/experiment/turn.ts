import type { Step } from './change.ts';
import { type HostsInUse, waitingFor } from './hosts-in-use.ts';
import { openAttempt, type Reason } from './record.ts';

/**
 * Takes in whether other jobs run on the hosts that the open attempt's job could run on. While they do, it waits its
 * turn, however long that is; once they don't, it waits for a host that Batch is to bring.
 */
export const turnSeen =
  (inUse: HostsInUse): Step =>
  (record, { now }) => {
    const attempt = openAttempt(record);
    if (attempt?.stage !== 'queued' || attempt.ending) return undefined;
    const isFree = inUse.own + inUse.others === 0;
    const waitsFor = isFree ? undefined : waitingFor(record.compute, inUse);
    const statusReason = reasonOf(waitsFor, attempt.blocked);
    // Batch's words may have come between, without naming a cause.
    if (waitsFor === attempt.waitsFor && statusReason?.message === record.statusReason?.message)
      return undefined;
    const time = now.toISOString();
    const isNews = waitsFor !== undefined && attempt.waitsFor === undefined;
    return {
      set: {
        attempts: record.attempts.with(-1, {
          ...attempt,
          waitsFor,
          hostsFreeSince: isFree ? (attempt.waitsFor ? time : attempt.hostsFreeSince) : undefined,
        }),
        statusReason,
      },
      // The number of jobs changes often: the record has the latest one, the timeline the first.
      entries: isNews
        ? [{ time, code: 'waiting', message: waitsFor, detail: { attempt: attempt.number, ...inUse } }]
        : [],
    };
  };

/** Of a job in the queue. */
function reasonOf(waitsFor: string | undefined, blocked: string | undefined): Reason | undefined {
  if (waitsFor !== undefined && !saysWhy(blocked)) return { code: 'waiting', message: waitsFor };
  return blocked === undefined ? undefined : { code: 'blocked', message: blocked };
}

/** Whether Batch names a cause, other than that it knows none. */
const saysWhy = (blocked: string | undefined) => blocked !== undefined && !/^UNDETERMINED/.test(blocked);
