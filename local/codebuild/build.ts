/** A build as it is recorded, and as BatchGetBuilds shows it. */
import type { SteadyTime } from '../steady-time.ts';
import type { EnvironmentVariable, Project } from './project.ts';

export type PhaseType =
  | 'SUBMITTED'
  | 'QUEUED'
  | 'PROVISIONING'
  | 'DOWNLOAD_SOURCE'
  | 'INSTALL'
  | 'PRE_BUILD'
  | 'BUILD'
  | 'POST_BUILD'
  | 'UPLOAD_ARTIFACTS'
  | 'FINALIZING'
  | 'COMPLETED';
export type BuildStatus = 'SUCCEEDED' | 'FAILED' | 'FAULT' | 'TIMED_OUT' | 'IN_PROGRESS' | 'STOPPED';

/** Times are epoch milliseconds. */
export interface BuildPhase {
  type: PhaseType;
  startedAt: number;
  endedAt?: number;
  status?: Exclude<BuildStatus, 'IN_PROGRESS'>;
  contexts: { statusCode: string; message: string }[];
}

export interface Build {
  /** `<project>:<uuid>`. */
  id: string;
  arn: string;
  number: number;
  projectName: string;
  initiator: string;
  serviceRole: string;
  environment: Omit<Project['environment'], 'variables'> & { variables: EnvironmentVariable[] };
  timeoutInMinutes: number;
  queuedTimeoutInMinutes: number;
  startedAt: number;
  startedSteady?: SteadyTime;
  endedAt?: number;
  status: BuildStatus;
  phases: BuildPhase[];
  sourceLocation?: string;
  logGroup: string;
  logStream: string;
  /** Set once a worker has begun with it: a build with a log is no longer in the queue. */
  logStarted: boolean;
  exportedVariables: { name: string; value: string }[];
}

/** Name of the role's session that the build works in. */
export const sessionOf = (build: Build): string => `AWSCodeBuild-${build.id.split(':')[1] ?? ''}`;

export const currentPhase = (build: Build): BuildPhase | undefined => build.phases.at(-1);

export const durationInSeconds = (phase: BuildPhase): number | undefined =>
  phase.endedAt === undefined ? undefined : Math.floor((phase.endedAt - phase.startedAt) / 1000);

/** Where AWS's console would show the log; the embedded cloud has none, but the field is part of the answer. */
export const deepLink = (build: Build, region: string): string =>
  `https://console.aws.amazon.com/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${encodeURIComponent(build.logGroup)}/log-events/${encodeURIComponent(build.logStream)}`;

const seconds = (milliseconds: number) => milliseconds / 1000;

/** The build in the API's form; `region` and `accountId` make up its ARNs. */
export function describeBuild(build: Build, place: { region: string; accountId: string }): object {
  const groupArn = `arn:aws:logs:${place.region}:${place.accountId}:log-group:${build.logGroup}:log-stream:${build.logStream}`;
  return {
    id: build.id,
    arn: build.arn,
    buildNumber: build.number,
    startTime: seconds(build.startedAt),
    ...(build.endedAt !== undefined && { endTime: seconds(build.endedAt) }),
    currentPhase: currentPhase(build)?.type,
    buildStatus: build.status,
    projectName: build.projectName,
    phases: build.phases.map((phase) => ({
      phaseType: phase.type,
      ...(phase.status && { phaseStatus: phase.status }),
      startTime: seconds(phase.startedAt),
      ...(phase.endedAt !== undefined && {
        endTime: seconds(phase.endedAt),
        durationInSeconds: durationInSeconds(phase),
      }),
      ...(phase.contexts.length > 0 && { contexts: phase.contexts }),
    })),
    source: build.sourceLocation ? { type: 'S3', location: build.sourceLocation } : { type: 'NO_SOURCE' },
    artifacts: { location: '' },
    cache: { type: 'NO_CACHE' },
    environment: {
      type: build.environment.type,
      image: build.environment.image,
      computeType: build.environment.computeType,
      privilegedMode: build.environment.privilegedMode,
      environmentVariables: build.environment.variables,
    },
    serviceRole: build.serviceRole,
    logs: {
      ...(build.logStarted && {
        groupName: build.logGroup,
        streamName: build.logStream,
        cloudWatchLogsArn: groupArn,
      }),
      deepLink: deepLink(build, place.region),
      cloudWatchLogs: { status: 'ENABLED', groupName: build.logGroup },
    },
    timeoutInMinutes: build.timeoutInMinutes,
    queuedTimeoutInMinutes: build.queuedTimeoutInMinutes,
    buildComplete: build.status !== 'IN_PROGRESS',
    initiator: build.initiator,
    exportedEnvironmentVariables: build.exportedVariables,
  };
}
