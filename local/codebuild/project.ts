/** A CodeBuild project as a template declares it. */
import * as z from 'zod';
import { type Buildspec, readBuildspec } from './buildspec.ts';

const environmentVariable = z.object({
  Name: z.string(),
  Value: z.coerce.string(),
  Type: z.enum(['PLAINTEXT', 'SECRETS_MANAGER']).default('PLAINTEXT'),
});

const properties = z.object({
  ServiceRole: z.string(),
  Source: z.object({
    Type: z.enum(['S3', 'NO_SOURCE']),
    Location: z.string().optional(),
    BuildSpec: z.string(),
  }),
  Artifacts: z.object({ Type: z.literal('NO_ARTIFACTS') }),
  Environment: z.object({
    Type: z.string(),
    Image: z.string(),
    ComputeType: z.string(),
    PrivilegedMode: z.boolean().default(false),
    EnvironmentVariables: z.array(environmentVariable).default([]),
  }),
  TimeoutInMinutes: z.number().int().min(5).max(2160).default(60),
  QueuedTimeoutInMinutes: z.number().int().min(5).max(480).default(480),
  ConcurrentBuildLimit: z.number().int().positive().optional(),
  LogsConfig: z
    .object({
      CloudWatchLogs: z
        .object({
          Status: z.literal('ENABLED'),
          GroupName: z.string().optional(),
          StreamName: z.string().optional(),
        })
        .optional(),
    })
    .default({}),
});

export interface EnvironmentVariable {
  name: string;
  value: string;
  type: 'PLAINTEXT' | 'SECRETS_MANAGER';
}

export interface Project {
  name: string;
  arn: string;
  serviceRole: string;
  /** `<bucket>/<key>` of the zipped source; undefined for a project without one. */
  sourceLocation?: string;
  buildspec: Buildspec;
  environment: {
    type: string;
    image: string;
    computeType: string;
    privilegedMode: boolean;
    variables: EnvironmentVariable[];
  };
  timeoutInMinutes: number;
  queuedTimeoutInMinutes: number;
  concurrentBuildLimit?: number;
  logGroup: string;
  logStreamPrefix?: string;
}

export const defaultLogGroup = (project: string): string => `/aws/codebuild/${project}`;

/** Throws an error that names the property a project can't have here. */
export function readProject(name: string, arn: string, declared: unknown): Project {
  const result = properties.safeParse(declared);
  if (!result.success) throw new Error(`AWS::CodeBuild::Project ${name}: ${z.prettifyError(result.error)}`);
  const { Source, Environment, LogsConfig, ...rest } = result.data;
  if (Source.Type === 'S3' && !Source.Location)
    throw new Error(`AWS::CodeBuild::Project ${name}: a source of type S3 requires a location`);
  return {
    name,
    arn,
    serviceRole: rest.ServiceRole,
    ...(Source.Type === 'S3' && { sourceLocation: Source.Location }),
    buildspec: readBuildspec(Source.BuildSpec),
    environment: {
      type: Environment.Type,
      image: Environment.Image,
      computeType: Environment.ComputeType,
      privilegedMode: Environment.PrivilegedMode,
      variables: Environment.EnvironmentVariables.map(({ Name, Value, Type }) => ({
        name: Name,
        value: Value,
        type: Type,
      })),
    },
    timeoutInMinutes: rest.TimeoutInMinutes,
    queuedTimeoutInMinutes: rest.QueuedTimeoutInMinutes,
    ...(rest.ConcurrentBuildLimit && { concurrentBuildLimit: rest.ConcurrentBuildLimit }),
    logGroup: LogsConfig.CloudWatchLogs?.GroupName ?? defaultLogGroup(name),
    ...(LogsConfig.CloudWatchLogs?.StreamName && { logStreamPrefix: LogsConfig.CloudWatchLogs.StreamName }),
  };
}
