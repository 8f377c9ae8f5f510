import type { Executions } from '../aws/executions.ts';
import { type ExperimentRecord, isOver, waitsForBuild } from './record.ts';

export interface LaunchDependencies {
  executions: Executions;
  log: { error(message: string, fields: Record<string, unknown>): void };
}

/**
 * Starts the execution of an experiment that was just recorded as ready to go. It may fail without harm: the record
 * is what was accepted, and the reconciler starts whatever is pending without an execution.
 */
export async function launch(
  { executions, log }: LaunchDependencies,
  organisation: string,
  record: ExperimentRecord,
  now: Date,
): Promise<void> {
  if (isOver(record) || record.status === 'created' || record.attempts.length > 0) return;
  if (waitsForBuild(record)) return;
  try {
    await executions.start(organisation, record.id);
  } catch (error) {
    log.error('execution not started; left to the reconciler', { organisation, id: record.id, now, error });
  }
}
