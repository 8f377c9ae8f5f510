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
    if (waitsFor === attempt.waitsFor) return undefined;
    const time = now.toISOString();
    const isNews = waitsFor !== undefined && attempt.waitsFor === undefined;
    return {
      set: {
        attempts: record.attempts.with(-1, {
          ...attempt,
          waitsFor,
          hostsFreeSince: isFree ? time : undefined,
        }),
        statusReason:
          waitsFor !== undefined && !saysWhy(attempt.blocked)
            ? { code: 'waiting', message: waitsFor }
            : otherThanWaiting(record.statusReason),
      },
      // The number of jobs changes often: the record has the latest one, the timeline the first.
      entries: isNews
        ? [{ time, code: 'waiting', message: waitsFor, detail: { attempt: attempt.number, ...inUse } }]
        : [],
    };
  };

const otherThanWaiting = (reason: Reason | undefined) => (reason?.code === 'waiting' ? undefined : reason);

/** Whether Batch names a cause, other than that it knows none. */
const saysWhy = (blocked: string | undefined) => blocked !== undefined && !/^UNDETERMINED/.test(blocked);
