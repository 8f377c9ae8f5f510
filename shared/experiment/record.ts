/** An experiment as the table keeps it, and as the API shows it. */
import type { Experiment, ExperimentReason } from '../model/experiment.ts';
import { type ExperimentStatus, isTerminal } from '../model/states.ts';
import type { Work } from '../store/advance.ts';
import { columnKey, openKey } from '../store/table.ts';

export interface Reason {
  code: ExperimentReason;
  message: string;
}

/** One AWS Batch job of the experiment. It is open from just before it is submitted until its end is known. */
export interface Attempt {
  number: number;
  /** As in the stage configuration. */
  queue: string;
  /** Known from the first event on: Step Functions submits the job and tells nobody. */
  jobId?: string;
  /** How far the job got, as far as is known. */
  stage: 'submitting' | 'queued' | 'provisioning' | 'running' | 'ended';
  createdAt: string;
  startedAt?: string;
  finishedAt?: string;
  exitCode?: number;
  /** Why it ended, where it did not end well. */
  reason?: Reason;
  logStream?: string;
  /** Batch's own words on why no host takes it. */
  blocked?: string;
  /** What it waited for when the hosts that it could run on were last seen to run other jobs. */
  waitsFor?: string;
  /** When those hosts were first seen to run nothing any more: from then on it waits for a host of its own. */
  hostsFreeSince?: string;
  /** Why Slipway ends the job: written before TerminateJob, so that the end can be told from any other. */
  ending?: Reason;
}

export interface ExperimentRecord extends Work {
  name: string;
  status: ExperimentStatus;
  statusReason?: Reason;
  image: Experiment['image'];
  build?: Experiment['build'];
  command?: string[];
  entrypoint: 'replace' | 'keep';
  compute: string;
  env: Record<string, string>;
  tags: string[];
  project?: string;
  timeoutSeconds: number;
  retry: Experiment['retry'];
  attempts: Attempt[];
  exitCode?: number;
  author: string;
  createdAt: string;
  updatedAt: string;
  startedAt?: string;
  finishedAt?: string;
  stopRequestedAt?: string;
  /** Set before anything that belongs to it is deleted; from then on it can only go. */
  deleting?: true;
  /** The command runs in place of an ENTRYPOINT that the image has. */
  entrypointReplaced?: true;
  /** Registered job definition, once the image is resolved. */
  jobDefinition?: string;
  /** Nobody is left to submit another attempt. */
  executionEndedAt?: string;
  /** Time of the last timeline entry: the next one's duration counts from it. */
  lastEventAt: string;
  statusKey: string;
  authorKey: string;
  projectKey?: string;
  openKey?: string;
  dueAt?: string;
}

/** The attempt whose job may be alive. */
export function openAttempt({ attempts }: Pick<ExperimentRecord, 'attempts'>): Attempt | undefined {
  const last = attempts.at(-1);
  return last && last.stage !== 'ended' ? last : undefined;
}

export const isOver = (record: Pick<ExperimentRecord, 'status'>) => isTerminal('experiment', record.status);

/** Until its build has ended nobody knows what it is to run in. */
export const waitsForBuild = (record: Pick<ExperimentRecord, 'status' | 'build' | 'image'>) =>
  !isOver(record) && record.build !== undefined && record.image.digest === undefined;

/** Whether the reconciler has something to look at: work that may go on, or a log that may not be kept yet. */
export const needsAttention = (record: Pick<ExperimentRecord, 'status' | 'attempts'>) =>
  record.status !== 'created' &&
  (!isOver(record) || record.attempts.some(({ logStream }) => logStream !== undefined));

/** Fields that go with a status: its index key, and whether and when the reconciler looks at it. */
export function statusFields(
  organisation: string,
  record: Pick<ExperimentRecord, 'id' | 'status' | 'attempts'>,
  dueAt: Date,
): Pick<ExperimentRecord, 'statusKey' | 'openKey' | 'dueAt'> {
  const open = needsAttention(record);
  return {
    statusKey: columnKey(record.status, record.id),
    // Set to undefined to be removed: leftover keys would keep finished work in the reconciler's index.
    openKey: open ? openKey(organisation) : undefined,
    dueAt: open ? dueAt.toISOString() : undefined,
  };
}

/** The record as the API shows it: named fields only, so that nothing internal slips out. */
export function experimentOf(record: ExperimentRecord): Experiment {
  const { id, name, status, statusReason, image, command, entrypoint, compute, env, tags, project } = record;
  const { timeoutSeconds, retry, attempts, exitCode, stopRequestedAt, author, createdAt } = record;
  const { build, updatedAt, startedAt, finishedAt } = record;
  const shown = attempts.map(
    ({ number, queue, jobId, createdAt, startedAt, finishedAt, exitCode, reason }) => ({
      number,
      queue,
      jobId,
      createdAt,
      startedAt,
      finishedAt,
      exitCode,
      reason,
    }),
  );
  return {
    id,
    name,
    status,
    statusReason,
    image,
    build,
    command,
    entrypoint,
    compute,
    env,
    tags,
    project,
    timeoutSeconds,
    retry,
    attempts: shown,
    exitCode,
    stopRequestedAt,
    author,
    createdAt,
    updatedAt,
    startedAt,
    finishedAt,
  };
}
