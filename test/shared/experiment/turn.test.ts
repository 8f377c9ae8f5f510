import { describe, expect, it } from 'vitest';
import { changeOf, dueAt } from '../../../shared/experiment/change.ts';
import { createHostsInUse, type HostsInUse } from '../../../shared/experiment/hosts-in-use.ts';
import type { ExperimentRecord } from '../../../shared/experiment/record.ts';
import { observed } from '../../../shared/experiment/report.ts';
import { turnSeen } from '../../../shared/experiment/turn.ts';
import { at, circumstances, job, submitted } from './records.ts';

const stage = {
  stage: 'local',
  hosts: 'dedicated' as 'dedicated' | 'shared',
  organisations: ['acme', 'globex'].map((id) => ({ id, title: id, adminEmail: `admin@${id}.example` })),
  queues: [
    { name: 'cpu', environments: ['cpu'] },
    { name: 'gpu', environments: ['gpu-spot', 'gpu'] },
    { name: 'gpu-on-demand', environments: ['gpu'] },
    { name: 'gpu-large', environments: ['gpu-large'] },
  ],
};

/** What runs in each queue of Batch. */
function running(counts: Record<string, number>, hosts = stage.hosts) {
  const asked: string[] = [];
  let seconds = 0;
  const pass = (more: number) => {
    seconds += more;
  };
  const jobs = {
    countPlaced: async (queue: string) => {
      asked.push(queue);
      return counts[queue] ?? 0;
    },
  };
  const inUse = createHostsInUse({ ...stage, hosts }, jobs, () => new Date(at(seconds)));
  return { inUse, asked, pass };
}

describe('E15 the jobs that hold the hosts of a queue', () => {
  it.each<[string, Record<string, number>, string, HostsInUse]>([
    ['run in the queue itself', { 'slipway-local-acme-gpu': 2 }, 'gpu', { own: 2, others: 0 }],
    [
      'or in one with the same environment',
      { 'slipway-local-acme-gpu': 2 },
      'gpu-on-demand',
      { own: 2, others: 0 },
    ],
    ['not in one with others', { 'slipway-local-acme-cpu': 9 }, 'gpu', { own: 0, others: 0 }],
    ['of the same kind neither', { 'slipway-local-acme-gpu': 9 }, 'gpu-large', { own: 0, others: 0 }],
    ['nor on hosts of another organisation', { 'slipway-local-globex-gpu': 9 }, 'gpu', { own: 0, others: 0 }],
  ])('%s', async (_, counts, queue, expected) => {
    expect(await running(counts).inUse('acme', queue)).toEqual(expected);
  });

  it('are those of all organisations where hosts are shared', async () => {
    const counts = { 'slipway-local-acme-gpu': 1, 'slipway-local-globex-gpu-on-demand': 3 };
    expect(await running(counts, 'shared').inUse('acme', 'gpu')).toEqual({ own: 1, others: 3 });
    expect(await running(counts, 'shared').inUse('globex', 'gpu')).toEqual({ own: 3, others: 1 });
  });

  it('are asked for once by many jobs, and again a little later', async () => {
    const { inUse, asked, pass } = running({ 'slipway-local-acme-cpu': 2 });
    for (let i = 0; i < 50; i++) await inUse('acme', 'cpu');
    expect(asked).toEqual(['slipway-local-acme-cpu']);
    pass(11);
    await inUse('acme', 'cpu');
    expect(asked).toHaveLength(2);
  });
});

describe('E15 a job whose turn has not come', () => {
  const free: HostsInUse = { own: 0, others: 0 };

  /** The record after looks at what runs, each at a second. */
  const looked = (record: ExperimentRecord, ...looks: [number, HostsInUse][]) =>
    looks.reduce<{ record: ExperimentRecord; messages: string[] }>(
      ({ record, messages }, [seconds, inUse]) => {
        const change = changeOf(record, circumstances(seconds), turnSeen(inUse));
        return {
          record: { ...record, ...change?.set },
          messages: [...messages, ...(change?.events ?? []).map(({ message }) => message)],
        };
      },
      { record, messages: [] },
    );
  const queued = (statusReason?: string): ExperimentRecord => {
    const record = submitted();
    return { ...record, ...changeOf(record, circumstances(3), observed(job({ statusReason })))?.set };
  };

  it.each<[HostsInUse, string]>([
    [{ own: 1, others: 0 }, 'Waiting for a free gpu-small host: 1 job of your organisation is running.'],
    [{ own: 2, others: 0 }, 'Waiting for a free gpu-small host: 2 jobs of your organisation are running.'],
    [{ own: 0, others: 1 }, 'Waiting for a free gpu-small host: 1 job of other organisations is running.'],
    [
      { own: 1, others: 2 },
      'Waiting for a free gpu-small host: 1 job of your organisation and 2 jobs of other organisations are running.',
    ],
  ])('says what for: %o', (inUse, message) => {
    const { record, messages } = looked(queued(), [20, inUse], [80, inUse]);
    expect(messages).toEqual([message]);
    expect(record.statusReason).toEqual({ code: 'waiting', message });
  });

  it('has no end of its patience until nothing else runs', () => {
    const waiting = looked(queued(), [20, { own: 2, others: 0 }], [5000, { own: 1, others: 0 }]).record;
    expect(dueAt(waiting, circumstances(5000))).toEqual(new Date(at(5060)));
    const { record } = looked(waiting, [5100, free], [5120, free]);
    expect(record.statusReason).toBeUndefined();
    expect(record.attempts[0]?.hostsFreeSince).toBe(new Date(at(5100)).toISOString());
    // The stage's 60 seconds, from then on.
    expect(dueAt(record, circumstances(5120))).toEqual(new Date(at(5160)));
  });

  it('says it once more when others were faster', () => {
    const busy: HostsInUse = { own: 1, others: 0 };
    expect(looked(queued(), [20, busy], [80, free], [140, busy]).messages).toHaveLength(2);
  });

  it.each([
    ['CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none', 'blocked'],
    ['UNDETERMINED - Batch job is blocked, root cause is undetermined.', 'waiting'],
  ])('leaves the reason to Batch where Batch knows one: %s', (words, code) => {
    const { record } = looked(queued(words), [20, { own: 2, others: 0 }]);
    expect(record.statusReason?.code).toBe(code);
  });

  it.each([
    ['UNDETERMINED - Batch job is blocked, root cause is undetermined.', 'waiting', 'blocked'],
    ['CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none', 'blocked', 'blocked'],
  ])('says the same where Batch speaks only then: %s', (statusReason, code, afterwards) => {
    const busy: HostsInUse = { own: 1, others: 0 };
    const waiting = looked(queued(), [20, busy]).record;
    const told = {
      ...waiting,
      ...changeOf(waiting, circumstances(30), observed(job({ statusReason })))?.set,
    };
    const { record, messages } = looked(told, [80, busy]);
    expect(record.statusReason?.code).toBe(code);
    expect(messages).toEqual([]);
    expect(looked(record, [140, free]).record.statusReason?.code).toBe(afterwards);
  });

  it('changes nothing once it is placed, or is being ended', () => {
    const inUse: HostsInUse = { own: 1, others: 0 };
    const record = queued();
    const placed = {
      ...record,
      ...changeOf(record, circumstances(9), observed(job({ status: 'STARTING' })))?.set,
    };
    expect(changeOf(placed, circumstances(20), turnSeen(inUse))).toBeUndefined();
    const misplaced = queued('MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too large');
    expect(changeOf(misplaced, circumstances(20), turnSeen(inUse))).toBeUndefined();
  });
});
