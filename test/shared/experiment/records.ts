/** Records and job reports to make decisions on. */
import type { Job } from '../../../shared/aws/jobs.ts';
import { type Circumstances, changeOf, type Step } from '../../../shared/experiment/change.ts';
import type { ExperimentRecord } from '../../../shared/experiment/record.ts';

export const experimentId = 'exp_01jd000000aaaaaaaaaaaaaaaa';
export const startedMs = Date.parse('2026-11-20T10:00:00.000Z');

export const at = (seconds: number) => startedMs + seconds * 1000;

export const circumstances = (seconds = 100): Circumstances => ({
  organisation: 'acme',
  now: new Date(at(seconds)),
  queueTimeoutSeconds: 60,
});

export function record(fields: Partial<ExperimentRecord> = {}): ExperimentRecord {
  const created = new Date(startedMs).toISOString();
  return {
    id: experimentId,
    version: 1,
    eventCount: 1,
    name: 'iris',
    status: 'pending',
    image: { requested: 'iris:v1' },
    command: ['python', 'train.py'],
    entrypoint: 'replace',
    compute: 'gpu-small',
    env: {},
    tags: [],
    timeoutSeconds: 600,
    retry: { attempts: 1, on: ['no-capacity', 'host-lost'] },
    attempts: [],
    author: 'ada@acme.example',
    createdAt: created,
    updatedAt: created,
    lastEventAt: created,
    statusKey: '',
    authorKey: '',
    ...fields,
  };
}

export const submitted = (fields: Partial<ExperimentRecord> = {}): ExperimentRecord =>
  record({
    attempts: [{ number: 1, queue: 'gpu', stage: 'submitting', createdAt: new Date(at(1)).toISOString() }],
    ...fields,
  });

/** The record after `steps`, as the table would hold it. */
export function having(current: ExperimentRecord, ...steps: Step[]): ExperimentRecord {
  const change = changeOf(current, circumstances(), ...steps);
  return change
    ? {
        ...current,
        ...change.set,
        version: current.version + 1,
        eventCount: current.eventCount + (change.events?.length ?? 0),
      }
    : current;
}

export function job(fields: Partial<Job> = {}): Job {
  return {
    id: 'job-1',
    name: `${experimentId}-1`,
    queue: 'slipway-local-acme-gpu',
    status: 'RUNNABLE',
    createdAt: at(2),
    tags: { 'slipway:organisation': 'acme', 'slipway:experiment': experimentId },
    ...fields,
  };
}
