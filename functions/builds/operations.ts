/** The operations of this function, bound to their use cases. */
import { isOver } from '../../shared/build/record.ts';
import { type Caller, type Implementation, implement } from '../../shared/http/operation.ts';
import { waitingPlaces } from '../../shared/log/patience.ts';
import type { Stage } from '../../shared/model/stage.ts';
import * as contract from './contract.ts';
import { type FollowDependencies, followBuildEvents, followBuildLog } from './follow.ts';
import { detailedBuild, listBuilds, requireBuild, shownBuild } from './read.ts';
import { type StopDependencies, stopBuild } from './stop.ts';

export type BuildsDependencies = FollowDependencies &
  StopDependencies & { stage: Pick<Stage, 'waitsPerMember'> };

export const buildOperations = (dependencies: BuildsDependencies): Implementation[] => {
  const { table, stage } = dependencies;
  const placesOf = (caller: Caller) => waitingPlaces(table, caller, stage.waitsPerMember);
  return [
    implement(contract.listBuilds, async ({ caller, query }) => ({
      status: 200,
      body: await listBuilds(table, caller.organisation, query),
    })),
    implement(contract.getBuild, async ({ caller, params }) => {
      const record = await requireBuild(table, caller.organisation, params.id);
      const body = await detailedBuild(table, caller.organisation, record);
      return { status: 200, body, etag: record.version };
    }),
    implement(contract.getBuildLogs, async ({ caller, params, query, remainingMs }) => ({
      status: 200,
      body: await followBuildLog(dependencies, caller.organisation, params.id, {
        ...query,
        remainingMs,
        places: placesOf(caller),
      }),
    })),
    implement(contract.getBuildEvents, async ({ caller, params, query, remainingMs }) => ({
      status: 200,
      body: await followBuildEvents(dependencies, caller.organisation, params.id, {
        ...query,
        remainingMs,
        places: placesOf(caller),
      }),
    })),
    implement(contract.stopBuild, async ({ caller, params }) => {
      const { organisation, email } = caller;
      const record = await stopBuild(dependencies, { organisation, email, id: params.id });
      const over = isOver(record);
      return {
        status: over ? 200 : 202,
        body: shownBuild(record),
        etag: record.version,
        ...(over ? {} : { headers: { location: `/v1/builds/${record.id}` } }),
      };
    }),
  ];
};
