/** A cloud with ECR and Batch on the real container engine, two queues, and a small image. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchClient,
  DescribeJobsCommand,
  RegisterJobDefinitionCommand,
  type RegisterJobDefinitionCommandInput,
  SubmitJobCommand,
  type SubmitJobCommandInput,
} from '@aws-sdk/client-batch';
import { type BatchParts, createBatch } from '../../../local/batch/batch.ts';
import { createEcr } from '../../../local/ecr/ecr.ts';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine } from '../../../local/engine/engine.ts';
import { watchEngine } from '../../../local/engine/watch.ts';
import type { DeclaredResource } from '../../../local/platform.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../cloud-with-endpoint.ts';

export const executionRole = 'arn:aws:iam::000000000000:role/acme-execution';
export const logGroup = '/slipway/test/jobs';
export const image = 'slipway-test/busybox:1';
export const queue = 'arn:aws:batch:us-east-1:000000000000:job-queue/cpu';

/** A busybox image under `image`, made from the machine's static busybox. */
export function makeImage(): void {
  if (spawnSync('docker', ['image', 'inspect', image]).status === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'slipway-image-'));
  const script = `set -e; mkdir -p bin tmp etc; cp "$(command -v busybox)" bin/busybox; bin/busybox --install -s bin; for one in bin/*; do if [ -L $one ]; then ln -sf busybox $one; fi; done; tar -c . | docker import -c 'CMD ["/bin/sh","-c","echo default command"]' - ${image}`;
  execFileSync('sh', ['-c', script], { cwd: folder });
  rmSync(folder, { recursive: true });
}

const resource = (type: string, physicalId: string, properties: object): DeclaredResource => ({
  stack: 'compute',
  logicalId: physicalId,
  type: `AWS::Batch::${type}`,
  properties,
  physicalId: `arn:aws:batch:us-east-1:000000000000:${physicalId}`,
  attributes: {},
});

const environment = (name: string, instanceTypes: string[], maxVcpus: number) =>
  resource('ComputeEnvironment', `compute-environment/${name}`, {
    Type: 'MANAGED',
    ComputeResources: { Type: 'EC2', MaxvCpus: maxVcpus, InstanceTypes: instanceTypes },
  });

const jobQueue = (name: string, environments: string[], more: object = {}) =>
  resource('JobQueue', `job-queue/${name}`, {
    Priority: 1,
    ComputeEnvironmentOrder: environments.map((one, index) => ({
      Order: index + 1,
      ComputeEnvironment: `arn:aws:batch:us-east-1:000000000000:compute-environment/${one}`,
    })),
    ...more,
  });

const declared: DeclaredResource[] = [
  environment('cpu', ['c7i.xlarge'], 8),
  environment('gpu', ['g5.xlarge'], 4),
  resource('SchedulingPolicy', 'scheduling-policy/fair', { FairsharePolicy: {} }),
  jobQueue('cpu', ['cpu']),
  jobQueue('gpu', ['gpu'], {
    JobStateTimeLimitActions: [
      {
        Reason: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
        State: 'RUNNABLE',
        MaxTimeSeconds: 600,
        Action: 'CANCEL',
      },
    ],
  }),
  jobQueue('shared', ['cpu'], {
    SchedulingPolicyArn: 'arn:aws:batch:us-east-1:000000000000:scheduling-policy/fair',
  }),
];

export async function batchPlace(parts: Partial<BatchParts> = {}, cloud?: CloudWithEndpoint) {
  makeImage();
  const place = cloud ?? (await createCloudWithEndpoint());
  const engine = parts.engine ?? createEngine(engineAddress(process.env));
  const ecr = createEcr(place);
  const engineWatch = watchEngine(engine, place);
  const batch = createBatch(place, { engine, engineWatch, ecr, stopGraceSeconds: 1, ...parts });
  place.serve(ecr, batch);
  await ecr.deploy?.([]);
  await batch.deploy?.(declared);
  await batch.start?.();
  const client = new BatchClient({ ...place.client(), maxAttempts: 1 });

  const register = async (container: object = {}, more: Partial<RegisterJobDefinitionCommandInput> = {}) => {
    const { jobDefinitionArn } = await client.send(
      new RegisterJobDefinitionCommand({
        jobDefinitionName: 'definition',
        type: 'container',
        containerProperties: {
          image,
          command: ['true'],
          executionRoleArn: executionRole,
          resourceRequirements: [
            { type: 'VCPU', value: '1' },
            { type: 'MEMORY', value: '64' },
          ],
          logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': logGroup } },
          ...container,
        },
        ...more,
      }),
    );
    return jobDefinitionArn ?? '';
  };
  const submit = async (input: Partial<SubmitJobCommandInput> & { jobDefinition: string }) => {
    const { jobId } = await client.send(new SubmitJobCommand({ jobName: 'job', jobQueue: queue, ...input }));
    return jobId ?? '';
  };
  const describe = async (id: string) => {
    const { jobs = [] } = await client.send(new DescribeJobsCommand({ jobs: [id] }));
    const [job] = jobs;
    if (!job) throw new Error(`No job ${id}`);
    return job;
  };
  const reached = (id: string, ...statuses: string[]) =>
    place.event(({ detail }) => detail.jobId === id && statuses.includes(String(detail.status)));

  return {
    cloud: place,
    batch,
    ecr,
    engine,
    client,
    register,
    submit,
    describe,
    reached,
    /** Registers, submits and waits for the end. */
    async run(container: object, more: Partial<SubmitJobCommandInput> = {}) {
      const id = await submit({ jobDefinition: await register(container), ...more });
      await reached(id, 'SUCCEEDED', 'FAILED');
      return describe(id);
    },
    log: (stream: string | undefined) => place.lines(logGroup, stream ?? ''),
  };
}

export const shell = (script: string) => ({ command: ['/bin/sh', '-c', script] });

/** Waits in its container until `release` is called. */
export const untilReleased = 'until [ -e /tmp/released ]; do sleep 0.1; done';

/** Lets the job go on that waits by `untilReleased`, whether its cloud is there or not. */
export async function release(jobId: string): Promise<void> {
  const engine = createEngine(engineAddress(process.env));
  const [container] = await engine.list({ 'slipway.batch.job': jobId });
  engine.close();
  if (!container) throw new Error(`no container of ${jobId}`);
  // Not by a process in the container, which may be over before that is: the engine would call it killed.
  execFileSync('docker', ['cp', import.meta.filename, `${container.Id}:/tmp/released`], { stdio: 'pipe' });
}
