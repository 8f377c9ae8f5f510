/** Job definitions: what RegisterJobDefinition takes, checked as Batch checks it. */
import * as z from 'zod';
import { AwsError } from '../platform.ts';
import { batchRefusal } from './refusals.ts';

/** The serialized definition may not be larger. */
const definitionLimitBytes = 24 * 1024;

const keyValue = z.strictObject({ name: z.string(), value: z.string().optional() });
const resourceRequirement = z.strictObject({ type: z.enum(['GPU', 'VCPU', 'MEMORY']), value: z.string() });

export const environment = z.array(keyValue).superRefine((list, context) => {
  for (const { name } of list)
    if (name.startsWith('AWS_BATCH'))
      context.addIssue(`Environment variables can't begin with AWS_BATCH: ${name}`);
});

const container = z.strictObject({
  image: z.string().min(1).max(255),
  command: z.array(z.string()).default([]),
  jobRoleArn: z.string().optional(),
  executionRoleArn: z.string().optional(),
  environment: environment.default([]),
  secrets: z.array(z.strictObject({ name: z.string(), valueFrom: z.string() })).default([]),
  resourceRequirements: z.array(resourceRequirement).default([]),
  vcpus: z.number().int().positive().optional(),
  memory: z.number().int().min(4).optional(),
  user: z.string().optional(),
  privileged: z.boolean().optional(),
  readonlyRootFilesystem: z.boolean().optional(),
  ulimits: z
    .array(z.strictObject({ name: z.string(), softLimit: z.number().int(), hardLimit: z.number().int() }))
    .default([]),
  linuxParameters: z
    .strictObject({
      devices: z
        .array(
          z.strictObject({
            hostPath: z.string(),
            containerPath: z.string().optional(),
            permissions: z.array(z.enum(['READ', 'WRITE', 'MKNOD'])).optional(),
          }),
        )
        .optional(),
      initProcessEnabled: z.boolean().optional(),
      sharedMemorySize: z.number().int().positive().optional(),
      tmpfs: z
        .array(
          z.strictObject({
            containerPath: z.string(),
            size: z.number().int().positive(),
            mountOptions: z.array(z.string()).optional(),
          }),
        )
        .optional(),
      maxSwap: z.number().int().nonnegative().optional(),
      swappiness: z.number().int().min(0).max(100).optional(),
    })
    .optional(),
  logConfiguration: z
    .strictObject({
      logDriver: z.literal('awslogs'),
      options: z
        .strictObject({
          'awslogs-group': z.string().optional(),
          'awslogs-region': z.string().optional(),
          'awslogs-stream-prefix': z.string().optional(),
        })
        .default({}),
      secretOptions: z.array(z.never()).optional(),
    })
    .optional(),
  repositoryCredentials: z.strictObject({ credentialsParameter: z.string() }).optional(),
  mountPoints: z.array(z.never()).optional(),
  volumes: z.array(z.never()).optional(),
});

const onPattern = z
  .string()
  .max(512)
  .regex(/^[^*]*\*?$/, "may contain '*' only at its end")
  .optional();

export const retryStrategy = z.strictObject({
  attempts: z.number().int().min(1).max(10).default(1),
  evaluateOnExit: z
    .array(
      z.strictObject({
        onStatusReason: onPattern,
        onReason: onPattern,
        onExitCode: onPattern,
        action: z.string().regex(/^(retry|exit)$/i, 'must be RETRY or EXIT'),
      }),
    )
    .max(5)
    .default([]),
});

export const timeout = z.strictObject({
  attemptDurationSeconds: z.number().int().min(60, 'Timeout must be at least 60 seconds'),
});

export const tags = z
  .record(z.string().min(1).max(128), z.string().max(256))
  .refine((all) => Object.keys(all).length <= 50, {
    message: 'At most 50 tags',
  });

const registration = z.strictObject({
  jobDefinitionName: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/, 'Job definition name should match valid pattern'),
  type: z.literal('container'),
  parameters: z.record(z.string(), z.string()).default({}),
  schedulingPriority: z.number().int().min(0).max(9999).optional(),
  containerProperties: container,
  retryStrategy: retryStrategy.optional(),
  timeout: timeout.optional(),
  tags: tags.default({}),
  propagateTags: z.boolean().default(false),
  platformCapabilities: z.tuple([z.literal('EC2')]).default(['EC2']),
});

export type ContainerProperties = z.infer<typeof container>;
export type RetryStrategy = z.infer<typeof retryStrategy>;
export type Registration = z.infer<typeof registration>;

export interface JobDefinition extends Registration {
  jobDefinitionArn: string;
  revision: number;
  status: 'ACTIVE' | 'INACTIVE';
  /** Epoch milliseconds; set once it is inactive. */
  deregisteredAt?: number;
}

export interface Requirements {
  vcpus: number;
  memoryMiB: number;
  gpus: number;
}

/**
 * Checks a request of RegisterJobDefinition. Throws `ClientException` with Batch's reason; what Batch could do and
 * this cloud can't is named in the message.
 */
export function readRegistration(input: unknown, isEcrImage: (image: string) => boolean): Registration {
  const read = parse(registration, input);
  const properties = read.containerProperties;
  requirementsOf(properties);
  if (properties.repositoryCredentials && isEcrImage(properties.image))
    throw new AwsError('ClientException', 'repositoryCredentials are not supported for images in Amazon ECR');
  if ((properties.repositoryCredentials || properties.secrets.length > 0) && !properties.executionRoleArn)
    throw new AwsError(
      'ClientException',
      'An execution role is required for secrets and repository credentials',
    );
  if (Buffer.byteLength(JSON.stringify(input)) > definitionLimitBytes)
    throw new AwsError('ClientException', 'Job definition size exceeds the limit of 24 KiB');
  return read;
}

/** vCPUs, memory and GPUs of a container. Throws `ClientException` where they are missing or no numbers. */
export function requirementsOf(properties: ContainerProperties): Requirements {
  const of = (type: string) => properties.resourceRequirements.find((one) => one.type === type)?.value;
  const read = (name: string, value: string | number | undefined, min: number) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < min)
      throw new AwsError('ClientException', `Container properties should specify ${name} of at least ${min}`);
    return number;
  };
  return {
    vcpus: read('VCPU', of('VCPU') ?? properties.vcpus, 1),
    memoryMiB: read('MEMORY', of('MEMORY') ?? properties.memory, 4),
    gpus: read('GPU', of('GPU') ?? 0, 0),
  };
}

/** Parses a request's member; throws as Batch does, and `UnsupportedOperation` for what isn't here. */
export function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw batchRefusal(result.error, input);
}
