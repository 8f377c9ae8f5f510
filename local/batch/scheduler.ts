/** Moves jobs through their states: places those that may run, runs them, decides what follows. */
import { randomUUID } from 'node:crypto';
import { whenElapsed } from '../deadline.ts';
import type { Cloud } from '../platform.ts';
import { elapsedMs } from '../steady-time.ts';
import { transaction } from '../transaction.ts';
import { createAttempts } from './attempts.ts';
import type { JobQueue } from './declared.ts';
import { type Attempt, describeJob, isEnded, isPlaced, type Job, type JobStatus } from './job.ts';
import { requirementsOf } from './job-definition.ts';
import { type Held, type Machine, placeJob } from './placement.ts';
import { createRemovals } from './removals.ts';
import { shouldRetry } from './retry.ts';
import type { TaskEnd, TaskParts } from './task.ts';
import { createTurns } from './turn.ts';

/** More characters of overrides than this fail when the job is dispatched. */
const overridesLimit = 8192;

export interface Scheduler {
  /** Takes up a job that is recorded as SUBMITTED. */
  add(job: Job): void;
  /** The job while it has not ended. */
  find(id: string): Job | undefined;
  all(): Job[];
  /** Cancels a job that has not been placed yet; later ones run on. */
  cancel(job: Job, reason: string): void;
  /** Ends a job in any state. */
  terminate(job: Job, reason: string): void;
  /** Resolves with the job once it has ended. */
  ended(id: string): Promise<Job>;
  /** Takes up the recorded jobs after a restart. */
  recover(jobs: Job[]): void;
  /** Lets go of all tasks; their containers run on. */
  close(): Promise<void>;
}

export function createScheduler(
  parts: TaskParts,
  queues: ReadonlyMap<string, JobQueue>,
  machine: () => Machine,
): Scheduler {
  const { cloud, store } = parts;
  /** Jobs that have not ended, oldest first. */
  const jobs = new Map<string, Job>();
  const waiters = new Map<string, ((job: Job) => void)[]>();
  const limits = new Map<string, () => void>();
  const turns = createTurns();
  const release = new AbortController();
  const removals = createRemovals(parts, release.signal);
  const attempts = createAttempts(
    parts,
    {
      started(job) {
        job.startedAt = job.current?.startedAt;
        move(job, 'RUNNING');
      },
      ended(job, attempt, end, timedOut) {
        settle(job, attempt, end, timedOut);
        schedulePass();
      },
    },
    release.signal,
  );
  let passScheduled = false;
  const now = () => cloud.now().getTime();

  const move = (job: Job, status: JobStatus, statusReason?: string) => {
    job.status = status;
    if (statusReason === undefined) delete job.statusReason;
    else job.statusReason = statusReason;
    if (isEnded(job)) job.stoppedAt = now();
    transaction(cloud.db, () => {
      store.saveJob(job);
      publish(cloud, 'Batch Job State Change', job);
    });
    if (!isEnded(job)) return;
    jobs.delete(job.id);
    limits.get(job.id)?.();
    limits.delete(job.id);
    for (const resolve of waiters.get(job.id) ?? []) resolve(job);
    waiters.delete(job.id);
    for (const one of jobs.values()) if (one.dependsOn.includes(job.id)) admit(one);
  };

  /** From SUBMITTED or PENDING onwards, as far as its dependencies let it. */
  const admit = (job: Job) => {
    if (job.status !== 'SUBMITTED' && job.status !== 'PENDING') return;
    const needed = job.dependsOn.map((id) => jobs.get(id) ?? store.job(id));
    if (needed.some((one) => one?.status === 'FAILED')) return move(job, 'FAILED', 'Dependent Job failed');
    if (needed.every((one) => one === undefined || one.status === 'SUCCEEDED')) {
      move(job, 'RUNNABLE');
      schedulePass();
    } else if (job.status === 'SUBMITTED') move(job, 'PENDING');
  };

  const schedulePass = () => {
    if (passScheduled || release.signal.aborted) return;
    passScheduled = true;
    setImmediate(() => {
      passScheduled = false;
      pass();
    });
  };

  const held = (): Held[] =>
    [...jobs.values()].filter(isPlaced).map((job) => ({
      ...requirementsOf(job.container),
      environmentArn: job.current?.environmentArn ?? '',
      gpuIds: job.current?.gpuIds ?? [],
    }));

  /** Places jobs until every queue's head has to wait. */
  const pass = () => {
    if (release.signal.aborted) return;
    const stuck = new Set<string>();
    for (;;) {
      const holding = held();
      const heads = [...queues.values()]
        .filter((queue) => queue.enabled && !stuck.has(queue.arn))
        .flatMap((queue) => {
          const own = [...jobs.values()].filter((job) => job.queueArn === queue.arn);
          const job = turns.headOf(queue, own, now());
          return job ? [{ queue, job }] : [];
        })
        .sort((a, b) => b.queue.priority - a.queue.priority || a.job.createdAt - b.job.createdAt);
      const [next] = heads;
      if (!next) return;
      if (!tryHead(next.queue, next.job, holding)) stuck.add(next.queue.arn);
    }
  };

  const tryHead = (queue: JobQueue, job: Job, holding: Held[]): boolean => {
    const placement = placeJob(requirementsOf(job.container), queue, holding, machine());
    if (placement.kind === 'placed') {
      begin(queue, job, {
        taskId: randomUUID().replaceAll('-', ''),
        environmentArn: placement.environment.arn,
        gpuIds: placement.gpuIds,
        placedAt: now(),
        logStream: '',
      });
      return true;
    }
    if (placement.kind === 'blocked') block(queue, job, placement.reason);
    return false;
  };

  const block = (queue: JobQueue, job: Job, reason: string) => {
    if (job.blocked?.reason !== reason) {
      job.blocked = { reason, since: now(), sinceSteady: cloud.steady() };
      job.statusReason = reason;
      store.saveJob(job);
      publish(cloud, 'Batch Job Queue Blocked', job);
    }
    const limit = queue.timeLimitActions.find((one) => reason.startsWith(`${one.reason} `));
    if (!limit || limits.has(job.id)) return;
    const act = () => {
      if (job.status !== 'RUNNABLE') return;
      move(job, 'FAILED', `Canceled by JobStateTimeLimit action due to reason: ${limit.reason}`);
      schedulePass();
    };
    const begun = { wall: job.blocked.since, steady: job.blocked.sinceSteady };
    limits.set(
      job.id,
      whenElapsed(() => limit.maxTimeSeconds * 1000 - elapsedMs(cloud, begun), act),
    );
  };

  const begin = (queue: JobQueue, job: Job, attempt: Attempt) => {
    const prefix = job.container.logConfiguration?.options['awslogs-stream-prefix'] ?? job.definitionName;
    job.current = { ...attempt, logStream: `${prefix}/default/${attempt.taskId}` };
    delete job.blocked;
    limits.get(job.id)?.();
    limits.delete(job.id);
    move(job, 'STARTING');
    if (job.overridesLength > overridesLimit) {
      delete job.current;
      return move(job, 'FAILED', 'Container Overrides length must be at most 8192');
    }
    attempts.run(queue, job, job.current);
  };

  const settle = (job: Job, attempt: Attempt, end: TaskEnd, timedOut: boolean) => {
    const statusReason = reasonOf(job, end, timedOut);
    Object.assign(attempt, {
      stoppedAt: now(),
      statusReason,
      ...(end.exitCode !== undefined && { exitCode: end.exitCode }),
      ...(end.reason !== undefined && { reason: end.reason }),
    });
    job.attempts.push(attempt);
    delete job.current;
    const queue = queues.get(job.queueArn);
    if (queue) turns.ended(queue, job, attempt, now());
    const isOver = job.isTerminated || timedOut;
    const again = !end.succeeded && shouldRetry(job.retryStrategy, job.attempts.length, attempt);
    const next = isOver ? 'FAILED' : end.succeeded ? 'SUCCEEDED' : again ? 'RUNNABLE' : 'FAILED';
    transaction(cloud.db, () => {
      cloud.endSession(attempt.taskId);
      move(job, next, statusReason);
    });
    removals.begin(attempt);
  };

  return {
    add(job) {
      jobs.set(job.id, job);
      setImmediate(() => admit(job));
    },
    find: (id) => jobs.get(id),
    all: () => [...jobs.values()],
    cancel(job, reason) {
      if (isPlaced(job) || isEnded(job)) return;
      job.isCancelled = true;
      move(job, 'FAILED', reason);
      schedulePass();
    },
    terminate(job, reason) {
      if (isEnded(job)) return;
      job.isTerminated = true;
      job.terminationReason = reason;
      if (!isPlaced(job)) {
        move(job, 'FAILED', reason);
        schedulePass();
        return;
      }
      store.saveJob(job);
      attempts.abort(job.id);
    },
    ended(id) {
      const job = jobs.get(id) ?? store.job(id);
      if (job && isEnded(job)) return Promise.resolve(job);
      return new Promise((resolve) => waiters.set(id, [...(waiters.get(id) ?? []), resolve]));
    },
    recover(recorded) {
      for (const job of recorded) jobs.set(job.id, job);
      for (const job of recorded) {
        const queue = queues.get(job.queueArn);
        if (!queue) move(job, 'FAILED', 'The job queue was deleted');
        else if (job.current && isPlaced(job)) attempts.run(queue, job, job.current);
        else admit(job);
      }
      schedulePass();
    },
    async close() {
      release.abort();
      for (const cancel of limits.values()) cancel();
      await attempts.idle();
      await removals.idle();
    },
  };
}

function reasonOf(job: Job, end: TaskEnd, timedOut: boolean): string {
  if (job.isTerminated) return job.terminationReason ?? end.statusReason;
  return timedOut ? 'Job attempt duration exceeded timeout' : end.statusReason;
}

function publish(cloud: Cloud, detailType: string, job: Job): void {
  cloud.publish({
    source: 'aws.batch',
    'detail-type': detailType,
    resources: detailType === 'Batch Job Queue Blocked' ? [job.arn, job.queueArn] : [job.arn],
    detail: describeJob(job, cloud) as Record<string, unknown>,
  });
}
