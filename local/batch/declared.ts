/** Compute environments, job queues and scheduling policies as templates declare them. */
import * as z from 'zod';
import type { DeclaredResource } from '../platform.ts';
import { type InstanceType, instanceType } from './instance-types.ts';

export interface ComputeEnvironment {
  name: string;
  arn: string;
  enabled: boolean;
  kind: 'EC2' | 'SPOT';
  maxVcpus: number;
  instanceTypes: { name: string; offers: InstanceType }[];
}

export interface SchedulingPolicy {
  name: string;
  arn: string;
  /** Share identifiers (a trailing `*` matches a prefix), which don't overlap, and their weights; lower means more. */
  weights: { identifier: string; weight: number }[];
  shareDecaySeconds: number;
}

interface TimeLimitAction {
  reason: string;
  maxTimeSeconds: number;
}

export interface JobQueue {
  name: string;
  arn: string;
  enabled: boolean;
  priority: number;
  /** In the order in which they are tried. */
  environments: ComputeEnvironment[];
  policy?: SchedulingPolicy;
  timeLimitActions: TimeLimitAction[];
}

const environmentProperties = z.object({
  Type: z.string().regex(/^managed$/i),
  State: z.string().default('ENABLED'),
  ComputeResources: z.object({
    Type: z.enum(['EC2', 'SPOT']),
    MaxvCpus: z.number().int().positive(),
    InstanceTypes: z.array(z.string()).min(1),
  }),
});

type Share = { ShareIdentifier: string };
/** Whether every identifier that `b` stands for is one of `a`'s. */
const covers = ({ ShareIdentifier: a }: Share, { ShareIdentifier: b }: Share) =>
  a === b || (a.endsWith('*') && b.startsWith(a.slice(0, -1)));

const policyProperties = z.object({
  FairsharePolicy: z
    .object({
      ShareDecaySeconds: z.number().int().min(0).max(604_800).default(0),
      ShareDistribution: z
        .array(
          z.object({
            ShareIdentifier: z.string().regex(/^[A-Za-z0-9]{0,254}([A-Za-z0-9]|\*)$/),
            WeightFactor: z.number().min(0.0001).max(999.9999).default(1),
          }),
        )
        .max(500)
        .refine(
          (shares) => !shares.some((a, i) => shares.some((b, j) => i !== j && covers(a, b))),
          'share identifiers overlap',
        )
        .default([]),
    })
    .prefault({}),
});

const queueProperties = z.object({
  State: z.string().default('ENABLED'),
  Priority: z.number().int().min(0).max(1000),
  SchedulingPolicyArn: z.string().optional(),
  ComputeEnvironmentOrder: z
    .array(z.object({ Order: z.number().int(), ComputeEnvironment: z.string() }))
    .min(1)
    .max(3),
  JobStateTimeLimitActions: z
    .array(
      z.object({
        Reason: z.string(),
        State: z.literal('RUNNABLE'),
        MaxTimeSeconds: z.number().int().min(600).max(86_400),
        Action: z.literal('CANCEL'),
      }),
    )
    .default([]),
});

export interface Declared {
  environments: Map<string, ComputeEnvironment>;
  /** By ARN. */
  queues: Map<string, JobQueue>;
}

/** Reads what the templates declare; `arnOf` gives the ARN for a kind and a name. Throws an error that names the resource. */
export function readDeclared(resources: DeclaredResource[]): Declared {
  const ofType = (type: string) => resources.filter((one) => one.type === `AWS::Batch::${type}`);
  const environments = new Map(
    ofType('ComputeEnvironment').map((resource) => {
      const { ComputeResources, State } = parse(environmentProperties, resource);
      const environment: ComputeEnvironment = {
        ...identity(resource),
        enabled: State.toUpperCase() === 'ENABLED',
        kind: ComputeResources.Type,
        maxVcpus: ComputeResources.MaxvCpus,
        instanceTypes: ComputeResources.InstanceTypes.map((name) => ({ name, offers: instanceType(name) })),
      };
      return [environment.arn, environment];
    }),
  );
  const policies = new Map(
    ofType('SchedulingPolicy').map((resource) => {
      const { FairsharePolicy } = parse(policyProperties, resource);
      const weights = FairsharePolicy.ShareDistribution.map((one) => ({
        identifier: one.ShareIdentifier,
        weight: one.WeightFactor,
      }));
      const policy: SchedulingPolicy = {
        ...identity(resource),
        weights,
        shareDecaySeconds: FairsharePolicy.ShareDecaySeconds,
      };
      return [resource.physicalId, policy] as const;
    }),
  );
  const queues = new Map(
    ofType('JobQueue').map((resource) => {
      const properties = parse(queueProperties, resource);
      const policy = properties.SchedulingPolicyArn
        ? policies.get(properties.SchedulingPolicyArn)
        : undefined;
      if (properties.SchedulingPolicyArn && !policy)
        throw new Error(
          `${resource.logicalId}: no template declares the scheduling policy ${properties.SchedulingPolicyArn}`,
        );
      const queue: JobQueue = {
        ...identity(resource),
        enabled: properties.State.toUpperCase() === 'ENABLED',
        priority: properties.Priority,
        environments: properties.ComputeEnvironmentOrder.sort((a, b) => a.Order - b.Order).map(
          ({ ComputeEnvironment }) => {
            const found = [...environments.values()].find((one) =>
              [one.arn, one.name].includes(ComputeEnvironment),
            );
            if (!found)
              throw new Error(
                `${resource.logicalId}: no template declares the compute environment ${ComputeEnvironment}`,
              );
            return found;
          },
        ),
        ...(policy && { policy }),
        timeLimitActions: properties.JobStateTimeLimitActions.map((one) => ({
          reason: one.Reason,
          maxTimeSeconds: one.MaxTimeSeconds,
        })),
      };
      return [queue.arn, queue];
    }),
  );
  return { environments, queues };
}

const identity = ({ physicalId }: DeclaredResource) => ({
  arn: physicalId,
  name: physicalId.slice(physicalId.indexOf('/') + 1),
});

function parse<T>(schema: z.ZodType<T>, resource: DeclaredResource): T {
  const result = schema.safeParse(resource.properties);
  if (!result.success)
    throw new Error(
      `${resource.stack}/${resource.logicalId} (${resource.type}): ${z.prettifyError(result.error)}`,
    );
  return result.data;
}
