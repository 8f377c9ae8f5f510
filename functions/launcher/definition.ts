/** The job definition of an experiment: Batch lets nothing of the image be overridden, so there is one for each combination. */
import { createHash } from 'node:crypto';
import type { RegisterJobDefinitionCommandInput } from '@aws-sdk/client-batch';
import { bootstrapped } from '../../job/bootstrap.ts';
import type { RunCompute } from '../../shared/model/stage.ts';

const limitBytes = 24 * 1024;
const imageLimit = 255;

/** Batch takes no definition above 24 KiB, and no image name above 255 characters. */
export class DefinitionTooLargeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DefinitionTooLargeError';
  }
}

export interface DefinitionRequest {
  stage: string;
  organisation: string;
  /** With its digest. */
  image: string;
  /** Left out: the image's own. */
  command?: readonly string[] | undefined;
  /** Whether the image's ENTRYPOINT gets the command, or the shell. */
  entrypoint: 'replace' | 'keep';
  env: Record<string, string>;
  compute: Pick<RunCompute, 'vcpus' | 'memoryMiB' | 'gpus'>;
  /** Secret with the registry's credentials, which the container agent reads. */
  credentialsArn?: string | undefined;
  logGroup: string;
  /** `arn:…:role/slipway-<stage>-`. */
  roleArnPrefix: string;
}

export type Definition = RegisterJobDefinitionCommandInput & { jobDefinitionName: string };

/** Named after its content. Throws `DefinitionTooLargeError`. */
export function definitionOf(request: DefinitionRequest): Definition {
  const { stage, organisation, image, command, entrypoint, env, compute, roleArnPrefix } = request;
  if (image.length > imageLimit)
    throw new DefinitionTooLargeError(
      `The name of the image is longer than the ${imageLimit} characters that AWS Batch accepts.`,
    );
  const content = {
    type: 'container' as const,
    platformCapabilities: ['EC2' as const],
    propagateTags: true,
    // Slipway counts attempts itself, since the next one may go to another queue.
    retryStrategy: { attempts: 1 },
    containerProperties: {
      image,
      ...(command ? { command: entrypoint === 'keep' ? [...command] : bootstrapped(command) } : {}),
      environment: Object.entries({
        // Python holds back what it prints to a pipe; a live log should be live. Whoever sets it has the last word.
        PYTHONUNBUFFERED: '1',
        ...env,
      }).map(([name, value]) => ({ name, value })),
      resourceRequirements: [
        { type: 'VCPU' as const, value: String(compute.vcpus) },
        { type: 'MEMORY' as const, value: String(compute.memoryMiB) },
        ...(compute.gpus > 0 ? [{ type: 'GPU' as const, value: String(compute.gpus) }] : []),
      ],
      executionRoleArn: `${roleArnPrefix}${organisation}-execution`,
      jobRoleArn: `${roleArnPrefix}${organisation}-job`,
      ...(request.credentialsArn
        ? { repositoryCredentials: { credentialsParameter: request.credentialsArn } }
        : {}),
      logConfiguration: {
        logDriver: 'awslogs' as const,
        options: { 'awslogs-group': request.logGroup, 'awslogs-stream-prefix': organisation },
      },
      // A command that is process 1 of its container ignores SIGTERM unless it asks for it: a stop would take long.
      linuxParameters: { initProcessEnabled: true },
    },
    tags: { 'slipway:organisation': organisation },
  };
  const text = JSON.stringify(content);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
  const definition = { jobDefinitionName: `slipway-${stage}-${organisation}-${hash}`, ...content };
  const size = Buffer.byteLength(JSON.stringify(definition));
  if (size > limitBytes)
    throw new DefinitionTooLargeError(
      `With this command and environment, the job definition has ${size} bytes. AWS Batch accepts at most ${limitBytes}.`,
    );
  return definition;
}
