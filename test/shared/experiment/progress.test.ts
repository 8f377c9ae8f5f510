import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../../shared/aws/jobs.ts';
import { changeOf, type Step } from '../../../shared/experiment/change.ts';
import {
  abandoned,
  concluded,
  ending,
  executionEnded,
  failed,
  jobToEnd,
  opened,
} from '../../../shared/experiment/conclusion.ts';
import { type ExperimentRecord, openAttempt } from '../../../shared/experiment/record.ts';
import { isSurplus, observed } from '../../../shared/experiment/report.ts';
import { reasonOf } from '../../../shared/experiment/verdict.ts';
import { at, circumstances, experimentId, having, job, record, submitted } from './records.ts';

const ran = { startedAt: at(20), logStream: 'jobs/default/1' };
const codes = (current: ExperimentRecord, ...steps: Step[]) =>
  changeOf(current, circumstances(), ...steps)?.events?.map((event) => event.code);

describe('E1 an experiment follows its job', () => {
  it('stays pending while queued, then provisioning, running and succeeded', () => {
    const queued = having(submitted(), observed(job()));
    expect(queued.status).toBe('pending');
    const provisioning = having(queued, observed(job({ status: 'STARTING' })));
    expect(provisioning.status).toBe('provisioning');
    const running = having(provisioning, observed(job({ status: 'RUNNING', ...ran })));
    expect(running).toMatchObject({ status: 'running', startedAt: new Date(at(20)).toISOString() });
    const done = having(
      running,
      observed(job({ status: 'SUCCEEDED', ...ran, exitCode: 0, stoppedAt: at(50) })),
      concluded(['gpu'], false),
    );
    expect(done).toMatchObject({
      status: 'succeeded',
      exitCode: 0,
      finishedAt: new Date(at(50)).toISOString(),
    });
    // Its log may have lines that nobody has kept yet.
    expect(done.dueAt).toBe(new Date(at(108)).toISOString());
  });

  it('E24 tells each step once, with durations, even when only the last report arrives', () => {
    const end = job({ status: 'FAILED', ...ran, exitCode: 3, stoppedAt: at(50) });
    const change = changeOf(submitted(), circumstances(), observed(end), concluded(['gpu'], false));
    expect(change?.events?.map(({ code, durationMs }) => [code, durationMs])).toEqual([
      ['queued', 2000],
      ['running', 18_000],
      ['job-ended', 30_000],
      ['failed', 50_000],
    ]);
    expect(change?.set.statusReason).toEqual({
      code: 'exit-code',
      message: 'The command ended with exit code 3.',
    });
  });

  it('a report of a job that is not the attempt’s changes nothing', () => {
    const known = having(submitted(), observed(job()));
    const surplus = job({ id: 'job-2', status: 'FAILED', stoppedAt: at(30) });
    expect(isSurplus(known, surplus)).toBe(true);
    expect(codes(known, observed(surplus))).toBeUndefined();
    expect(codes(known, observed(job({ name: `${experimentId}-7` })))).toBeUndefined();
  });

  it('a log stream that is told of late is still taken in', () => {
    const running = having(submitted(), observed(job({ status: 'RUNNING', startedAt: at(20) })));
    expect(openAttempt(having(running, observed(job({ status: 'RUNNING', ...ran }))))?.logStream).toBe(
      ran.logStream,
    );
  });
});

describe('E15 what blocks a job', () => {
  const misconfigured = 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - no instance type is large enough';

  it('is shown while it waits and forgotten when a host is found', () => {
    const capacity = 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - no g5.xlarge';
    const blocked = having(submitted(), observed(job({ statusReason: capacity })));
    expect(blocked).toMatchObject({
      status: 'pending',
      statusReason: { code: 'blocked', message: capacity },
    });
    expect(jobToEnd(blocked)).toBeUndefined();
    const starting = having(blocked, observed(job({ status: 'STARTING' })));
    expect(starting.statusReason).toBeUndefined();
  });

  it('ends a job that can never be placed, at once and with the reason', () => {
    const blocked = having(submitted(), observed(job()), observed(job({ statusReason: misconfigured })));
    expect(jobToEnd(blocked)).toMatchObject({ id: 'job-1' });
    const over = having(
      blocked,
      observed(job({ status: 'FAILED', statusReason: 'ended by request', stoppedAt: at(40) })),
      concluded(['gpu', 'gpu-on-demand'], true),
    );
    expect(over.status).toBe('failed');
    expect(over.statusReason?.code).toBe('compute-unavailable');
    expect(over.statusReason?.message).toContain(misconfigured);
  });
});

describe('E16 stopping', () => {
  const stopping = submitted({ stopRequestedAt: new Date(at(30)).toISOString() });

  it('ends a job as soon as it is known', () => {
    expect(jobToEnd(stopping)).toBeUndefined();
    expect(jobToEnd(having(stopping, observed(job())))).toMatchObject({ id: 'job-1' });
  });

  it('wins over a retry, and a job that succeeded first has succeeded', () => {
    const retry = { attempts: 3, on: ['host-lost' as const] };
    const lost = job({
      status: 'FAILED',
      statusReason: 'Host EC2 (instance i-1) terminated.',
      stoppedAt: at(40),
    });
    const queues = ['gpu', 'gpu-on-demand'];
    expect(having({ ...stopping, retry }, observed(lost), concluded(queues, true))).toMatchObject({
      status: 'stopped',
      statusReason: { code: 'stopped-by-user' },
    });
    const fine = job({ status: 'SUCCEEDED', exitCode: 0, stoppedAt: at(40) });
    expect(having(stopping, observed(fine), concluded(queues, true)).status).toBe('succeeded');
  });

  it('wins over a failed launch', () => {
    const reason = reasonOf('image-not-found');
    expect(having(record({ stopRequestedAt: new Date(at(3)).toISOString() }), failed(reason)).status).toBe(
      'stopped',
    );
    expect(having(record(), failed(reason))).toMatchObject({ status: 'failed', statusReason: reason });
  });
});

describe('E15 retries', () => {
  const lost = job({
    status: 'FAILED',
    statusReason: 'Host EC2 (instance i-1) terminated.',
    stoppedAt: at(40),
  });
  const queues = ['gpu', 'gpu-on-demand'];
  const twice = submitted({ retry: { attempts: 2, on: ['host-lost'] } });

  it('open the next attempt on the next queue', () => {
    const again = having(twice, observed(lost), concluded(queues, true));
    expect(again).toMatchObject({
      status: 'pending',
      attempts: [{ stage: 'ended' }, { queue: 'gpu-on-demand' }],
    });
    expect(again.statusReason).toBeUndefined();
  });

  it('are left to the execution, while there is one', () => {
    const waiting = having(twice, observed(lost), concluded(queues, false));
    expect(waiting).toMatchObject({ status: 'pending', attempts: [{ stage: 'ended' }] });
    expect(waiting.dueAt).toBeDefined();
    const dead = having(waiting, executionEnded, concluded(queues, false));
    expect(dead).toMatchObject({ status: 'failed', statusReason: { code: 'host-lost' } });
  });

  it('an attempt of which nothing is known any more ends', () => {
    const gone = having(submitted(), abandoned(reasonOf('job-lost')), concluded(queues, true));
    expect(gone).toMatchObject({ status: 'failed', statusReason: { code: 'job-lost' } });
  });

  it('an attempt that waited too long goes on to the next queue', () => {
    const tired = having(
      submitted({ retry: { attempts: 2, on: ['no-capacity'] } }),
      observed(job()),
      ending(reasonOf('queue-timeout')),
    );
    expect(jobToEnd(tired)).toBeDefined();
    const again = having(
      tired,
      observed(job({ status: 'FAILED', statusReason: 'x', stoppedAt: at(90) })),
      concluded(queues, true),
    );
    expect(again.attempts.map(({ queue, reason }) => [queue, reason?.code])).toEqual([
      ['gpu', 'queue-timeout'],
      ['gpu-on-demand', undefined],
    ]);
  });
});

/** What remains of a record when reports come in another order: everything but the timeline and times of our own clock. */
function outcome({ version, eventCount, lastEventAt, ...rest }: ExperimentRecord) {
  return rest;
}

const ends: Partial<Job>[] = [
  { status: 'SUCCEEDED', exitCode: 0, ...ran },
  { status: 'FAILED', exitCode: 3, ...ran },
  { status: 'FAILED', exitCode: 137, containerReason: 'OutOfMemoryError: Container killed', ...ran },
  { status: 'FAILED', statusReason: 'Host EC2 (instance i-1) terminated.', ...ran },
  {
    status: 'FAILED',
    statusReason: 'Task failed to start',
    containerReason: 'CannotPullContainerError: denied',
  },
];

const story = fc
  .record({
    end: fc.constantFrom(...ends),
    middle: fc.subarray<Partial<Job>>([
      {},
      { statusReason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none' },
      { status: 'STARTING' },
      { status: 'RUNNING', ...ran },
    ]),
    stop: fc.boolean(),
    retries: fc.boolean(),
  })
  .map((one) => ({
    ...one,
    // What never started was never running.
    middle: one.end.startedAt ? one.middle : one.middle.filter(({ status }) => status !== 'RUNNING'),
  }));

describe('E1 events delivered twice, late and in any order', () => {
  it('lead to the same final state', () => {
    fc.assert(
      fc.property(
        story.chain((one) => {
          const reports = [...one.middle, { ...one.end, stoppedAt: at(50) }].map((fields) => job(fields));
          const deliveries = fc
            .array(fc.constantFrom(...reports), { maxLength: 6 })
            .chain((again) =>
              fc.shuffledSubarray([...reports, ...again], { minLength: reports.length + again.length }),
            );
          return fc.tuple(fc.constant({ ...one, reports }), deliveries);
        }),
        ([{ reports, stop, retries }, deliveries]) => {
          const start = submitted({
            ...(stop ? { stopRequestedAt: new Date(at(10)).toISOString() } : {}),
            retry: { attempts: retries ? 2 : 1, on: ['host-lost', 'error'] },
          });
          const play = (jobs: Job[]) =>
            jobs.reduce((current, one) => having(current, observed(one), concluded(['gpu'], false)), start);
          expect(outcome(play(deliveries))).toEqual(outcome(play(reports)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never leave a terminal state', () => {
    const over = having(
      submitted(),
      observed(job({ status: 'FAILED', exitCode: 3 })),
      concluded(['gpu'], false),
    );
    for (const status of ['RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED'] as const)
      expect(having(over, observed(job({ status, ...ran })), concluded(['gpu'], true))).toBe(over);
    expect(having(over, opened('gpu'), failed(reasonOf('launch-failed'))).status).toBe('failed');
  });
});
