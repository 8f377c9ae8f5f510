/** CodeBuild's phases as the states and the timeline of a build. */
import type { PhaseReport } from '../aws/builds.ts';
import type { BuildKind, BuildPhase } from '../model/build.ts';
import { type BuildStatus, mayFollow } from '../model/states.ts';
import type { NewEvent } from '../store/advance.ts';
import { latest } from '../store/timeline.ts';
import type { BuildRecord } from './record.ts';

interface Step {
  /** The phase of CodeBuild that has to end well for it. */
  after: string;
  phase: BuildPhase;
  status: BuildStatus;
  message: string;
  /** What it means where the job is no build. */
  otherwise?: Partial<Record<BuildKind, string>>;
}

/** Phases of CodeBuild whose end moves a build. */
const steps: Step[] = [
  { after: 'QUEUED', phase: 'provisioning', status: 'queued', message: 'CodeBuild is preparing a machine.' },
  {
    after: 'PROVISIONING',
    phase: 'preparing',
    status: 'queued',
    message: 'Fetching the context and credentials.',
    otherwise: { mirror: 'Fetching credentials.', validation: 'Fetching the image.' },
  },
  {
    after: 'PRE_BUILD',
    phase: 'building',
    status: 'building',
    message: 'Building the Dockerfile.',
    otherwise: { mirror: 'Copying layers.', validation: 'Checking the image.' },
  },
  {
    after: 'BUILD',
    phase: 'pushing',
    status: 'pushing',
    message: 'Pushing the image.',
    otherwise: { mirror: 'Writing the tag.', validation: 'Saving the result.' },
  },
];

export const movesBuild = (codeBuildPhase: string): boolean =>
  steps.some(({ after }) => after === codeBuildPhase);

export interface PhaseMove {
  /** Phases of CodeBuild that are on the timeline then. */
  seen: string[];
  events: NewEvent[];
  /** Where the build is then; nothing where it was further already. */
  to?: { phase: BuildPhase; status: BuildStatus };
  /** When a machine had taken it, if that is known. */
  startedAt?: string;
}

/**
 * What a report adds: each phase once, in whatever order and however often reports come. A phase that is heard of
 * late still gets its entry; the build never goes back.
 */
export function phaseEvents(
  {
    kind,
    push,
    phasesSeen,
    phase,
    status,
  }: Pick<BuildRecord, 'kind' | 'push' | 'phasesSeen' | 'phase' | 'status'>,
  reports: PhaseReport[],
): PhaseMove {
  const own = push === false ? steps.filter((step) => step.phase !== 'pushing') : steps;
  const news = own.flatMap((step) => {
    const report = reports.find(({ type, outcome }) => type === step.after && outcome === 'SUCCEEDED');
    return report && !phasesSeen.includes(step.after) ? [{ step, report }] : [];
  });
  const last = news.at(-1)?.step;
  const rank = (of: BuildPhase) => steps.findIndex((step) => step.phase === of);
  const isFurther = (step: Step) =>
    rank(step.phase) > rank(phase) && (step.status === status || mayFollow('build', status, step.status));
  const startedAt = reports.find(
    ({ type, outcome }) => type === 'QUEUED' && outcome === 'SUCCEEDED',
  )?.endedAt;
  return {
    seen: [...phasesSeen, ...news.map(({ step }) => step.after)],
    events: news.map(({ step, report }) => ({
      time: report.endedAt,
      code: step.phase,
      message: step.otherwise?.[kind] ?? step.message,
    })),
    ...(last && isFurther(last) ? { to: { phase: last.phase, status: last.status } } : {}),
    ...(startedAt ? { startedAt } : {}),
  };
}

/**
 * When a machine had taken the build, if that is known: never before it was accepted and CodeBuild was asked, whatever
 * CodeBuild's clock and its whole seconds say.
 */
export const startOf = (
  { createdAt, startingAt }: Pick<BuildRecord, 'createdAt' | 'startingAt'>,
  { startedAt }: Pick<PhaseMove, 'startedAt'>,
): string | undefined => startedAt && latest(startedAt, createdAt, startingAt);
