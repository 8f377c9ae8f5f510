/** Where a job runs, or why it doesn't. */
import type { ComputeEnvironment, JobQueue } from './declared.ts';
import type { Requirements } from './job-definition.ts';

/** What this machine has for jobs; GPUs by their index. */
export interface Machine {
  vcpus: number;
  memoryMiB: number;
  gpuIds: number[];
}

/** What a placed job holds. */
export interface Held extends Requirements {
  environmentArn: string;
  gpuIds: number[];
}

export type Placement =
  | { kind: 'placed'; environment: ComputeEnvironment; gpuIds: number[] }
  | { kind: 'waits' }
  /** As in `statusReason`: a code, ` - `, words. */
  | { kind: 'blocked'; reason: string };

/**
 * Tries the queue's environments in order. A job waits for what others hold; it is blocked where no environment
 * could ever run it, nor this machine. CPUs are shares, so a job with more of them than the machine has may run when
 * nothing else does; memory is a hard limit.
 */
export function placeJob(needs: Requirements, queue: JobQueue, held: Held[], machine: Machine): Placement {
  const enabled = queue.environments.filter((one) => one.enabled);
  const suitable = enabled.filter((one) => one.instanceTypes.some(({ offers }) => fits(needs, offers)));
  if (suitable.length === 0)
    return blocked(
      'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is higher than that can be met by the CE(s) attached to the job queue.',
    );
  const large = suitable.filter((one) => one.maxVcpus >= needs.vcpus);
  if (large.length === 0)
    return blocked(
      'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue cannot meet the CPU requirement of the job.',
    );
  // On AWS a host of that kind may yet come; this machine will never grow.
  if (needs.memoryMiB > machine.memoryMiB || needs.gpus > machine.gpuIds.length)
    return blocked(
      `MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (memory/GPU) is higher than this machine offers: it has ${machine.memoryMiB} MiB and ${machine.gpuIds.length} GPUs.`,
    );
  const gpuIds = freeGpus(machine, held).slice(0, needs.gpus);
  if (gpuIds.length < needs.gpus || !machineHasRoom(needs, held, machine)) return { kind: 'waits' };
  const environment = large.find((one) => vcpusHeld(held, one.arn) + needs.vcpus <= one.maxVcpus);
  return environment ? { kind: 'placed', environment, gpuIds } : { kind: 'waits' };
}

const blocked = (reason: string): Placement => ({ kind: 'blocked', reason });

const fits = (needs: Requirements, offers: Requirements) =>
  offers.vcpus >= needs.vcpus && offers.memoryMiB >= needs.memoryMiB && offers.gpus >= needs.gpus;

function machineHasRoom(needs: Requirements, held: Held[], machine: Machine): boolean {
  const vcpus = (one: Requirements) => Math.min(one.vcpus, machine.vcpus);
  const used = held.reduce((sum, one) => sum + vcpus(one), 0);
  const memory = held.reduce((sum, one) => sum + one.memoryMiB, 0);
  return used + vcpus(needs) <= machine.vcpus && memory + needs.memoryMiB <= machine.memoryMiB;
}

function freeGpus(machine: Machine, held: Held[]): number[] {
  const taken = new Set(held.flatMap((one) => one.gpuIds));
  return machine.gpuIds.filter((id) => !taken.has(id));
}

const vcpusHeld = (held: Held[], environmentArn: string) =>
  held.filter((one) => one.environmentArn === environmentArn).reduce((sum, one) => sum + one.vcpus, 0);
