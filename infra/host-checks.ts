/** Checks that every compute can be placed on every host it may be sent to: Batch itself would let the job wait. */
import type { RunCompute, Stage } from '../shared/model/stage.ts';
import { type InstanceType, instanceType } from './instance-types.ts';

/** The share of its nominal memory that a host certainly registers with Batch. */
const usableMemoryShare = 0.92;

type Environment = Stage['environments'][number];

/** What is wrong with the stage's environments and computes, one sentence each, saying what to change. */
export function hostProblems(stage: Stage): string[] {
  return [
    ...stage.environments.flatMap(environmentProblems),
    ...stage.queues.flatMap(queueProblems),
    ...computeProblems(stage),
  ];
}

function queueProblems({ name, environments }: Stage['queues'][number]): string[] {
  return twice(environments).map(
    (one) => `queues: ${name}: environment "${one}" is listed twice, which Batch refuses; list it once`,
  );
}

const twice = (values: string[]): string[] => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
];

function environmentProblems(environment: Environment): string[] {
  const repeated = twice(environment.instanceTypes).map(
    (type) =>
      `environments: ${environment.name}: "${type}" is listed twice, which Batch refuses; list it once`,
  );
  const unusable = environment.instanceTypes.flatMap((name) => {
    const type = instanceType(name);
    if (!type)
      return `environments: ${environment.name}: "${name}" is not an x86-64 type in infra/instance-types.ts; correct it, or add its vCPUs, memory and GPUs there`;
    if (type.gpus > 0 !== environment.gpu)
      return `environments: ${environment.name}: gpu is ${environment.gpu} but ${name} has ${type.gpus} GPUs; they decide which machine image the hosts boot, so make them agree`;
    return [];
  });
  return [...repeated, ...unusable];
}

function computeProblems(stage: Stage): string[] {
  const environments = new Map(stage.environments.map((one) => [one.name, one]));
  const queues = new Map(stage.queues.map((one) => [one.name, one]));
  return stage.computes.flatMap((compute) => {
    if (compute.use !== 'run') return [];
    const names = new Set(compute.queues.flatMap((queue) => queues.get(queue)?.environments ?? []));
    return [...names].flatMap((name) => {
      const environment = environments.get(name);
      return environment ? placementProblems(compute, environment) : [];
    });
  });
}

/** One host of the environment must hold the compute; which one, Batch chooses. */
function placementProblems(compute: RunCompute, environment: Environment): string[] {
  if (compute.vcpus > environment.maxVcpus)
    return [
      `computes: ${compute.name} needs ${compute.vcpus} vCPU, but maxVcpus of environment ${environment.name} is ${environment.maxVcpus}, so its jobs would wait forever; raise maxVcpus or make the compute smaller`,
    ];
  const types = environment.instanceTypes.flatMap((name) => instanceType(name) ?? []);
  if (types.length === 0 || types.some((type) => fits(compute, type))) return [];
  const largest = Math.max(...types.map((type) => type.memoryMiB));
  return [
    `computes: ${compute.name} (${compute.vcpus} vCPU, ${compute.memoryMiB} MiB, ${compute.gpus} GPU) fits on no host of environment ${environment.name} (${environment.instanceTypes.join(', ')}): hosts register less memory than they have, so at most ${Math.floor(largest * usableMemoryShare)} MiB; make it smaller or the instance types larger`,
  ];
}

function fits(compute: RunCompute, type: InstanceType): boolean {
  return (
    compute.vcpus <= type.vcpus &&
    compute.gpus <= type.gpus &&
    compute.memoryMiB <= type.memoryMiB * usableMemoryShare
  );
}
