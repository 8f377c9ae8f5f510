/** The container of a job, in the engine's terms: exactly what the definition says. */
import type { ContainerSpec } from '../engine/engine.ts';
import type { Attempt, Job } from './job.ts';
import { type ContainerProperties, requirementsOf } from './job-definition.ts';

/** Labels by which containers are found again. */
export const homeLabel = 'slipway.batch.home';
const jobLabel = 'slipway.batch.job';
export const taskLabel = 'slipway.batch.task';

const bytesPerMiB = 1024 * 1024;
/** As the container agent counts: one vCPU is 1024 CPU shares. */
const sharesPerVcpu = 1024;

/** Unique per attempt, and the same after a restart. */
export const containerName = (attempt: Attempt) => `batch-${attempt.taskId}`;

export interface ContainerSurroundings {
  /** The embedded cloud's home, which tells its containers from another one's. */
  home: string;
  queueName: string;
  environmentName: string;
  /** Where the job finds AWS, and with which credentials if it has a role. */
  awsEnvironment: Record<string, string>;
  /** Values of the definition's secrets. */
  secrets: { name: string; value: string }[];
}

/** `environment` in the definition loses against the variables that Batch itself sets. */
export function containerSpec(job: Job, attempt: Attempt, around: ContainerSurroundings): ContainerSpec {
  const { container } = job;
  const command = container.command.map((argument) => substitute(argument, job.parameters));
  const variables: Record<string, string> = {
    ...around.awsEnvironment,
    ...Object.fromEntries(container.environment.map(({ name, value }) => [name, value ?? ''])),
    ...Object.fromEntries(around.secrets.map(({ name, value }) => [name, value])),
    AWS_BATCH_JOB_ID: job.id,
    AWS_BATCH_JOB_ATTEMPT: String(job.attempts.length + 1),
    AWS_BATCH_CE_NAME: around.environmentName,
    AWS_BATCH_JQ_NAME: around.queueName,
  };
  return {
    Image: container.image,
    // Without a command the image's own CMD runs; its ENTRYPOINT stays in either case.
    ...(command.length > 0 && { Cmd: command }),
    Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...(container.user !== undefined && { User: container.user }),
    Labels: { [homeLabel]: around.home, [jobLabel]: job.id, [taskLabel]: attempt.taskId },
    HostConfig: hostConfig(container, attempt),
  };
}

function hostConfig(container: ContainerProperties, attempt: Attempt): Record<string, unknown> {
  const { vcpus, memoryMiB } = requirementsOf(container);
  const linux = container.linuxParameters;
  return {
    NetworkMode: 'host',
    Memory: memoryMiB * bytesPerMiB,
    // Without maxSwap there is no swap, as on Batch's own hosts.
    MemorySwap: (memoryMiB + (linux?.maxSwap ?? 0)) * bytesPerMiB,
    ...(linux?.swappiness !== undefined && { MemorySwappiness: linux.swappiness }),
    CpuShares: vcpus * sharesPerVcpu,
    Privileged: container.privileged ?? false,
    // Raw sockets would read what others send over this machine's loopback, tokens and keys included.
    CapDrop: ['NET_RAW'],
    ReadonlyRootfs: container.readonlyRootFilesystem ?? false,
    Ulimits: container.ulimits.map(({ name, softLimit, hardLimit }) => ({
      Name: name,
      Soft: softLimit,
      Hard: hardLimit,
    })),
    Init: linux?.initProcessEnabled ?? false,
    ...(linux?.sharedMemorySize !== undefined && { ShmSize: linux.sharedMemorySize * bytesPerMiB }),
    ...(linux?.tmpfs && {
      Tmpfs: Object.fromEntries(
        linux.tmpfs.map(({ containerPath, size, mountOptions = [] }) => [
          containerPath,
          [...mountOptions, `size=${size}m`].join(','),
        ]),
      ),
    }),
    ...(linux?.devices && {
      Devices: linux.devices.map(
        ({ hostPath, containerPath = hostPath, permissions = ['READ', 'WRITE', 'MKNOD'] }) => ({
          PathOnHost: hostPath,
          PathInContainer: containerPath,
          CgroupPermissions: permissions.map((one) => one.charAt(0).toLowerCase()).join(''),
        }),
      ),
    }),
    ...(attempt.gpuIds.length > 0 && {
      DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: attempt.gpuIds.map(String), Capabilities: [['gpu']] }],
    }),
    // Whatever the engine's default is: the log is read back through its API.
    LogConfig: { Type: 'json-file', Config: {} },
  };
}

/** `Ref::name` stands for the job's parameter of that name. */
function substitute(argument: string, parameters: Record<string, string>): string {
  const name = argument.startsWith('Ref::') ? argument.slice('Ref::'.length) : undefined;
  return name === undefined ? argument : (parameters[name] ?? argument);
}
