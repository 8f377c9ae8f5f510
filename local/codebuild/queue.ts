/** Which builds run, which wait, and what ends them from outside. */
import { whenElapsed } from '../deadline.ts';
import type { Cloud } from '../platform.ts';
import { elapsedMs } from '../steady-time.ts';
import { transaction } from '../transaction.ts';
import type { Build } from './build.ts';
import { stateChangeEvent } from './events.ts';
import { endProcesses, removeLeftovers } from './leftovers.ts';
import type { WorkerParts } from './parts.ts';
import { createProgress } from './phases.ts';
import type { Project } from './project.ts';
import { type Ending, interrupted, runBuild } from './worker.ts';

export interface BuildQueue {
  /** Takes up a build that is recorded as QUEUED. */
  add(build: Build): void;
  /** Builds of a project that have not ended. */
  activeOf(projectName: string): number;
  /** The build while it has not ended: fresher than its record. */
  find(id: string): Build | undefined;
  /** Ends a build; its event follows once it has really ended. */
  stop(id: string): void;
  /** Ends what an earlier process left in the middle, and takes up what was still waiting. */
  recover(): Promise<void>;
  /** Ends the builds that run (FAULT); those that wait stay in the queue for the next start. */
  close(): Promise<void>;
}

interface Running {
  build: Build;
  controller: AbortController;
  ended: Promise<void>;
}

export function createBuildQueue(
  parts: WorkerParts,
  projects: ReadonlyMap<string, Project>,
  concurrentBuilds: number,
): BuildQueue {
  const { cloud, store } = parts;
  const waiting: { build: Build; cancelLimit: () => void }[] = [];
  const running = new Map<string, Running>();
  let closed = false;

  const dequeue = (id: string): Build | undefined => {
    const index = waiting.findIndex(({ build }) => build.id === id);
    const [entry] = index < 0 ? [] : waiting.splice(index, 1);
    entry?.cancelLimit();
    return entry?.build;
  };

  const endWaiting = (id: string, ending: Ending) => {
    const build = dequeue(id);
    if (build) createProgress(cloud, store, build).finish(ending);
  };

  const begin = (build: Build, project: Project) => {
    createProgress(cloud, store, build).leave('SUCCEEDED');
    const controller = new AbortController();
    const begun = { wall: cloud.now().getTime(), steady: cloud.steady() };
    const cancelLimit = whenElapsed(
      () => build.timeoutInMinutes * 60_000 - elapsedMs(cloud, begun),
      () => controller.abort('TIMED_OUT' satisfies Ending),
    );
    const ended = runBuild(parts, project, build, controller.signal)
      .catch((error: unknown) => fault(cloud, parts, build, error))
      .finally(() => {
        cancelLimit();
        running.delete(build.id);
        if (!closed) fill();
      });
    running.set(build.id, { build, controller, ended });
  };

  const fill = () => {
    while (running.size < concurrentBuilds) {
      const next = waiting[0]?.build;
      if (!next) return;
      dequeue(next.id);
      const project = projects.get(next.projectName);
      if (project) begin(next, project);
      else createProgress(cloud, store, next).finish('FAULT');
    }
  };

  const add = (build: Build) => {
    const begun = { wall: build.startedAt, steady: build.startedSteady };
    const leftMs = () => build.queuedTimeoutInMinutes * 60_000 - elapsedMs(cloud, begun);
    waiting.push({ build, cancelLimit: whenElapsed(leftMs, () => endWaiting(build.id, 'TIMED_OUT')) });
    if (leftMs() <= 0) endWaiting(build.id, 'TIMED_OUT');
    fill();
  };

  return {
    add,
    activeOf: (projectName) =>
      [...waiting, ...running.values()].filter(({ build }) => build.projectName === projectName).length,
    find: (id) => running.get(id)?.build ?? waiting.find(({ build }) => build.id === id)?.build,
    stop(id) {
      endWaiting(id, 'STOPPED');
      running.get(id)?.controller.abort('STOPPED' satisfies Ending);
    },
    async recover() {
      for (const build of store.inProgress()) {
        if (build.phases.at(-1)?.type === 'QUEUED') {
          add(build);
          continue;
        }
        await fault(
          cloud,
          parts,
          build,
          new Error('the embedded cloud ended while the build was running'),
          interrupted,
        );
      }
    },
    async close() {
      closed = true;
      for (const { cancelLimit } of waiting.splice(0)) cancelLimit();
      const ending = [...running.values()];
      if (ending.length > 0)
        cloud.log(
          'codebuild',
          `ended running builds: ${ending.length}; start them again after the next start`,
        );
      for (const { controller } of ending) controller.abort('FAULT' satisfies Ending);
      await Promise.all(ending.map(({ ended }) => ended));
    },
  };
}

const internalError = {
  statusCode: 'INTERNAL_SERVICE_ERROR',
  message: 'Build ended because of an internal error',
};

/** Ends a build that can't go on for reasons of the cloud's own. */
async function fault(
  cloud: Cloud,
  parts: WorkerParts,
  build: Build,
  error: unknown,
  context = internalError,
): Promise<void> {
  cloud.log('codebuild', `${build.id}: ${error instanceof Error ? error.message : String(error)}`);
  endProcesses(build);
  const progress = createProgress(cloud, parts.store, build);
  transaction(cloud.db, () => {
    progress.leave('FAULT', [context]);
    if (build.logStarted) progress.note(context.message);
    progress.finish('FAULT');
  });
  await removeLeftovers(parts, build);
}

/** Records a new build and tells that it has begun. */
export function announce(cloud: Cloud, parts: WorkerParts, build: Build): void {
  const progress = createProgress(cloud, parts.store, build);
  cloud.publish(stateChangeEvent(build, cloud.region));
  progress.enter('SUBMITTED');
  progress.leave('SUCCEEDED');
  progress.enter('QUEUED');
}
