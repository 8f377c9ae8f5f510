/** The operations of this function, bound to their use cases. */
import { isOver } from '../../shared/build/record.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import * as contract from './contract.ts';
import { type FollowDependencies, followBuildEvents, followBuildLog } from './follow.ts';
import { listBuilds, requireBuild, shownBuild } from './read.ts';
import { type StopDependencies, stopBuild } from './stop.ts';

export type BuildsDependencies = FollowDependencies & StopDependencies;

export const buildOperations = (dependencies: BuildsDependencies): Implementation[] => {
  const { table } = dependencies;
  return [
    implement(contract.listBuilds, async ({ caller, query }) => ({
      status: 200,
      body: await listBuilds(table, caller.organisation, query),
    })),
    implement(contract.getBuild, async ({ caller, params }) => {
      const record = await requireBuild(table, caller.organisation, params.id);
      return { status: 200, body: shownBuild(record), etag: record.version };
    }),
    implement(contract.getBuildLogs, async ({ caller, params, query, remainingMs }) => ({
      status: 200,
      body: await followBuildLog(dependencies, caller.organisation, params.id, { ...query, remainingMs }),
    })),
    implement(contract.getBuildEvents, async ({ caller, params, query, remainingMs }) => ({
      status: 200,
      body: await followBuildEvents(dependencies, caller.organisation, params.id, { ...query, remainingMs }),
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
