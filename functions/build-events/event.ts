/** CodeBuild's two kinds of events, as far as they tell how a build stands. */
import * as z from 'zod';
import { type BuildReport, type Outcome, type PhaseReport, specVariable } from '../../shared/aws/builds.ts';

const phase = z.object({
  'phase-type': z.string(),
  'phase-status': z.string().optional(),
  'end-time': z.string().optional(),
  'phase-context': z.array(z.string()).optional(),
});

/** More than this is in an event, and may be in another form tomorrow. */
export const buildEventSchema = z.object({
  time: z.string(),
  detail: z.object({
    'build-id': z.string(),
    'build-status': z.string().optional(),
    'completed-phase': z.string().optional(),
    'additional-information': z.object({
      'build-complete': z.boolean().optional(),
      environment: z
        .object({
          'environment-variables': z.array(z.object({ name: z.string(), value: z.string() })).default([]),
        })
        .optional(),
      phases: z.array(phase).default([]),
    }),
  }),
});
export type BuildEvent = z.output<typeof buildEventSchema>;

/** Key of the spec that the build was started with, where the event says it. */
export const specKeyIn = ({ detail }: BuildEvent): string | undefined =>
  detail['additional-information'].environment?.['environment-variables'].find(
    ({ name }) => name === specVariable,
  )?.value;

/** The event as a report. Only state changes tell of the end. */
export function reportIn({ time, detail }: BuildEvent): BuildReport {
  const status = detail['build-status'];
  const over = status !== undefined && status !== 'IN_PROGRESS';
  return {
    codeBuildId: detail['build-id'].replace(/^arn:[^/]*:build\//, ''),
    phases: detail['additional-information'].phases.flatMap((one) => phaseIn(one, time)),
    ...(over ? { outcome: status as Outcome, endedAt: new Date(time).toISOString() } : {}),
  };
}

function phaseIn(one: z.output<typeof phase>, eventTime: string): PhaseReport[] {
  const outcome = one['phase-status'];
  if (!outcome) return [];
  const message = (one['phase-context'] ?? []).filter((text) => text.replace(/[: ]/g, '') !== '').join('; ');
  return [
    {
      type: one['phase-type'],
      outcome: outcome as Outcome,
      endedAt: readTime(one['end-time']) ?? new Date(eventTime).toISOString(),
      ...(message ? { message } : {}),
    },
  ];
}

/** `Sep 1, 2017 4:12:29 PM`, in UTC. */
function readTime(text: string | undefined): string | undefined {
  const time = Date.parse(`${text} UTC`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
