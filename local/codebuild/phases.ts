/** A build's progress: one phase after the other, each recorded and told to the event bus. */
import type { Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';
import { type Build, type BuildPhase, type BuildStatus, type PhaseType, sessionOf } from './build.ts';
import { phaseChangeEvent, stateChangeEvent } from './events.ts';
import type { BuildStore } from './store.ts';

type Outcome = Exclude<BuildStatus, 'IN_PROGRESS'>;

export interface Progress {
  /** Enters a phase. */
  enter(type: PhaseType): BuildPhase;
  /** Ends the phase that the build is in. */
  leave(status: Outcome, contexts?: BuildPhase['contexts']): void;
  /** Ends the build, whatever phase it is in. */
  finish(status: Outcome): void;
  save(): void;
  /** A line of the build's log in CodeBuild's own form; its events end in a line feed. */
  note(text: string): void;
}

export function createProgress(cloud: Cloud, store: BuildStore, build: Build): Progress {
  const now = () => cloud.now().getTime();
  const progress: Progress = {
    enter(type) {
      const phase: BuildPhase = { type, startedAt: now(), contexts: [] };
      build.phases.push(phase);
      store.save(build);
      return phase;
    },
    leave(status, contexts = []) {
      const phase = build.phases.at(-1);
      if (!phase || phase.status) return;
      Object.assign(phase, { status, endedAt: now(), contexts });
      transaction(cloud.db, () => {
        store.save(build);
        cloud.publish(phaseChangeEvent(build, phase, cloud.region));
      });
    },
    finish(status) {
      progress.leave(status);
      build.phases.push({ type: 'COMPLETED', startedAt: now(), contexts: [] });
      build.status = status;
      build.endedAt = now();
      transaction(cloud.db, () => {
        cloud.endSession(sessionOf(build));
        store.save(build);
        cloud.publish(stateChangeEvent(build, cloud.region));
      });
    },
    save: () => void store.save(build),
    note(text) {
      const time = cloud.now();
      const stamp = time.toISOString().replaceAll('-', '/').replace('T', ' ').replace('Z', '');
      cloud.appendLogs(build.logGroup, build.logStream, [
        { timestamp: time.getTime(), message: `[Container] ${stamp} ${text}\n` },
      ]);
    },
  };
  return progress;
}
