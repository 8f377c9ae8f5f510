/**
 * The states of work and what may follow each: the only table of transitions there is. Events may arrive twice,
 * late, out of order or never, so every later state can be reached from every earlier one; nothing leaves a
 * terminal state.
 */
const build = {
  queued: ['building', 'pushing', 'succeeded', 'failed', 'stopped', 'timed_out'],
  building: ['pushing', 'succeeded', 'failed', 'stopped', 'timed_out'],
  pushing: ['succeeded', 'failed', 'stopped', 'timed_out'],
  succeeded: [],
  failed: [],
  stopped: [],
  timed_out: [],
} as const;

/** Back to `pending` is the next attempt, after a lost host or missing capacity. */
const experiment = {
  created: ['pending', 'stopped'],
  pending: ['provisioning', 'running', 'succeeded', 'failed', 'stopped'],
  provisioning: ['pending', 'running', 'succeeded', 'failed', 'stopped'],
  running: ['pending', 'succeeded', 'failed', 'stopped'],
  succeeded: [],
  failed: [],
  stopped: [],
} as const;

const image = {
  pending: ['ready', 'failed'],
  ready: ['ready'],
  failed: ['pending', 'ready', 'failed'],
} as const;

export type BuildStatus = keyof typeof build;
export type ExperimentStatus = keyof typeof experiment;
export type ImageStatus = keyof typeof image;

export const buildStatuses = Object.keys(build) as [BuildStatus, ...BuildStatus[]];
export const experimentStatuses = Object.keys(experiment) as [ExperimentStatus, ...ExperimentStatus[]];
export const imageStatuses = Object.keys(image) as [ImageStatus, ...ImageStatus[]];

const tables = { build, experiment, image } as const;

/** Whether `from → to` is in the table. Staying where one is never is, except for a ready image that gets a new digest. */
export function mayFollow<K extends keyof typeof tables>(
  kind: K,
  from: keyof (typeof tables)[K],
  to: keyof (typeof tables)[K],
): boolean {
  const next = tables[kind][from] as readonly PropertyKey[];
  return next.includes(to);
}

export function isTerminal<K extends 'build' | 'experiment'>(
  kind: K,
  status: keyof (typeof tables)[K],
): boolean {
  return (tables[kind][status] as readonly unknown[]).length === 0;
}
