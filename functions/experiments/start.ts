import { changeOf } from '../../shared/experiment/change.ts';
import type { CreateDependencies } from '../../shared/experiment/create.ts';
import { launch } from '../../shared/experiment/launch.ts';
import { type ExperimentRecord, isOver } from '../../shared/experiment/record.ts';
import { conflict, notFound } from '../../shared/http/problem.ts';
import { advance } from '../../shared/store/advance.ts';
import { requireStaying } from './change.ts';

export interface StartRequest {
  organisation: string;
  id: string;
  /** Email of who asks. */
  by: string;
  now: Date;
}

/** Starts a stored experiment; one that was started before stays as it is. Throws 409 where it is over. */
export async function startExperiment(
  dependencies: CreateDependencies,
  { organisation, id, by, now }: StartRequest,
): Promise<ExperimentRecord> {
  const { table, stage } = dependencies;
  const moved = await advance<ExperimentRecord>(
    table,
    { organisation, collection: 'experiments', id },
    (current) => {
      if (isOver(current))
        throw conflict(
          'experiment-over',
          `The experiment is ${current.status}. To run it again, create another one.`,
        );
      if (current.status !== 'created') return undefined;
      requireStaying(current);
      return changeOf(current, { organisation, now, queueTimeoutSeconds: stage.queueTimeoutSeconds }, () => ({
        set: { status: 'pending' },
        entries: [{ time: now.toISOString(), code: 'pending', message: `Started by ${by}.` }],
      }));
    },
  );
  if (!moved) throw notFound('experiment');
  await launch(dependencies, organisation, moved.record, now);
  return moved.record;
}
