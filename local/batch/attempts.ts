/** The attempts on this machine: each runs until it ends by itself, its time is up or its job is terminated. */
import { whenElapsed } from '../deadline.ts';
import { elapsedMs } from '../steady-time.ts';
import type { JobQueue } from './declared.ts';
import type { Attempt, Job } from './job.ts';
import { runTask, type TaskEnd, type TaskParts, TaskReleasedError } from './task.ts';

export interface Attempts {
  /** Runs the attempt, or takes up the task that an earlier process left running. */
  run(queue: JobQueue, job: Job, attempt: Attempt): void;
  /** Ends the job's attempt, if it has one. */
  abort(jobId: string): void;
  /** Resolves when none is left here. */
  idle(): Promise<void>;
}

export interface AttemptHooks {
  /** The attempt's container runs; the times of its start are set. */
  started(job: Job): void;
  ended(job: Job, attempt: Attempt, end: TaskEnd, timedOut: boolean): void;
}

interface Running {
  controller: AbortController;
  /** Why it was aborted. */
  timedOut: boolean;
  done: Promise<void>;
}

/** `release` lets go of all tasks, which go on by themselves. */
export function createAttempts(parts: TaskParts, hooks: AttemptHooks, release: AbortSignal): Attempts {
  const { cloud } = parts;
  const running = new Map<string, Running>();

  const run = (queue: JobQueue, job: Job, attempt: Attempt) => {
    const controller = new AbortController();
    const state: Running = { controller, timedOut: false, done: Promise.resolve() };
    let cancelTimeout: (() => void) | undefined;
    const startClock = () => {
      const { timeoutSeconds } = job;
      if (timeoutSeconds === undefined || attempt.startedAt === undefined) return;
      const begun = { wall: attempt.startedAt, steady: attempt.startedSteady };
      cancelTimeout = whenElapsed(
        () => timeoutSeconds * 1000 - elapsedMs(cloud, begun),
        () => {
          state.timedOut = true;
          controller.abort();
        },
      );
    };
    const environment = queue.environments.find((one) => one.arn === attempt.environmentArn);
    const task = runTask(parts, {
      job,
      attempt,
      queueName: queue.name,
      environmentName: environment?.name ?? '',
      onRunning() {
        attempt.startedAt = cloud.now().getTime();
        attempt.startedSteady = cloud.steady();
        hooks.started(job);
        startClock();
      },
      signal: controller.signal,
      release,
    });
    if (attempt.startedAt !== undefined) startClock();
    if (job.isTerminated) controller.abort();
    running.set(job.id, state);
    state.done = task
      .catch((error: unknown): TaskEnd | undefined => {
        if (error instanceof TaskReleasedError) return undefined;
        cloud.log('batch', `${job.id}: ${error instanceof Error ? error.stack : String(error)}`);
        return { statusReason: 'Internal error of the container agent', succeeded: false };
      })
      .then((end) => {
        cancelTimeout?.();
        running.delete(job.id);
        if (end) hooks.ended(job, attempt, end, state.timedOut);
      });
  };

  return {
    run,
    abort: (jobId) => running.get(jobId)?.controller.abort(),
    async idle() {
      await Promise.all([...running.values()].map((one) => one.done));
    },
  };
}
