/** CodeBuild, as far as a build of Slipway's needs it. */
import {
  BatchGetBuildsCommand,
  type Build,
  CodeBuildClient,
  CodeBuildServiceException,
  type ComputeType,
  StartBuildCommand,
  StopBuildCommand,
} from '@aws-sdk/client-codebuild';
import { specKey } from '../model/build-keys.ts';

export interface BuildStart {
  organisation: string;
  buildId: string;
  /** Such as `BUILD_GENERAL1_SMALL`. */
  computeType: string;
  timeoutSeconds: number;
}

/** CodeBuild's own words for how a build or phase ended. */
export type Outcome = 'SUCCEEDED' | 'FAILED' | 'FAULT' | 'TIMED_OUT' | 'STOPPED';

export interface PhaseReport {
  /** Such as `QUEUED`, `BUILD`. */
  type: string;
  outcome: Outcome;
  endedAt: string;
  /** What CodeBuild says of it, where it says anything. */
  message?: string;
}

/** What CodeBuild knows of a build at one moment. */
export interface BuildReport {
  codeBuildId: string;
  /** Absent while it is in progress. */
  outcome?: Outcome;
  endedAt?: string;
  /** Phases that have ended, in order. */
  phases: PhaseReport[];
}

/** CodeBuild will not start it, however often it is asked. */
export class StartRefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartRefusedError';
  }
}

/** CodeBuild has not started it, but may another time: too many builds, too many requests. */
export class StartDelayedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartDelayedError';
  }
}

export interface Builds {
  /**
   * Answers CodeBuild's id. The same build again within five minutes is answered with the first one's.
   * Throws `StartRefusedError` and `StartDelayedError`; after any other error nobody knows whether it was started.
   */
  start(request: BuildStart): Promise<string>;
  /** Asks for the end; nothing happens where it is over. */
  stop(codeBuildId: string): Promise<void>;
  /** Nothing where CodeBuild doesn't know it (any more). */
  report(codeBuildId: string): Promise<BuildReport | undefined>;
  /** Key of the spec that a build was started with: what names its organisation and its id. */
  specOf(codeBuildId: string): Promise<string | undefined>;
}

export interface BuildPlace {
  project: string;
  /** `arn:…:role/slipway-<stage>-`, before the organisation. */
  roleArnPrefix: string;
  logGroup: string;
}

const refusals = new Set(['InvalidInputException', 'ResourceNotFoundException', 'AccessDeniedException']);

export function createBuilds(
  { project, roleArnPrefix, logGroup }: BuildPlace,
  client: CodeBuildClient = new CodeBuildClient({}),
): Builds {
  const get = async (id: string): Promise<Build | undefined> =>
    (await client.send(new BatchGetBuildsCommand({ ids: [id] }))).builds?.[0];
  return {
    async start({ organisation, buildId, computeType, timeoutSeconds }) {
      try {
        const { build } = await client.send(
          new StartBuildCommand({
            projectName: project,
            idempotencyToken: buildId,
            serviceRoleOverride: `${roleArnPrefix}${organisation}-builder`,
            computeTypeOverride: computeType as ComputeType,
            logsConfigOverride: {
              // CodeBuild puts its id behind the name: the organisation's builder role may write these streams only.
              cloudWatchLogs: { status: 'ENABLED', groupName: logGroup, streamName: organisation },
            },
            timeoutInMinutesOverride: Math.max(5, Math.ceil(timeoutSeconds / 60)),
            environmentVariablesOverride: [
              { name: specVariable, value: specKey(organisation, buildId), type: 'PLAINTEXT' },
            ],
          }),
        );
        if (!build?.id) throw new Error('StartBuild answered no build');
        return build.id;
      } catch (error) {
        if (!(error instanceof CodeBuildServiceException) || error.$fault !== 'client') throw error;
        if (refusals.has(error.name)) throw new StartRefusedError(error.message);
        throw new StartDelayedError(`${error.name}: ${error.message}`);
      }
    },
    async stop(codeBuildId) {
      await client.send(new StopBuildCommand({ id: codeBuildId }));
    },
    async report(codeBuildId) {
      const build = await get(codeBuildId);
      return build && reportOf(codeBuildId, build);
    },
    async specOf(codeBuildId) {
      const build = await get(codeBuildId);
      return build?.environment?.environmentVariables?.find(({ name }) => name === specVariable)?.value;
    },
  };
}

/** Environment variable by which a build learns what to do. */
export const specVariable = 'SLIPWAY_SPEC';

function reportOf(codeBuildId: string, build: Build): BuildReport {
  const phases = (build.phases ?? []).flatMap(
    ({ phaseType, phaseStatus, endTime, contexts }): PhaseReport[] => {
      if (!phaseType || !phaseStatus || !endTime) return [];
      const message = contexts?.flatMap((one) => one.message ?? []).join('; ');
      return [
        {
          type: phaseType,
          outcome: phaseStatus as Outcome,
          endedAt: endTime.toISOString(),
          ...(message ? { message } : {}),
        },
      ];
    },
  );
  const over = build.buildComplete && build.buildStatus !== 'IN_PROGRESS';
  return {
    codeBuildId,
    phases,
    ...(over ? { outcome: build.buildStatus as Outcome } : {}),
    ...(over && build.endTime ? { endedAt: build.endTime.toISOString() } : {}),
  };
}

/** The log stream that CodeBuild gives a build. */
export const logStreamOf = (organisation: string, codeBuildId: string) =>
  `${organisation}/${codeBuildId.slice(codeBuildId.lastIndexOf(':') + 1)}`;
