/** What EC2 instance types offer to jobs: a compute environment never starts a job that fits none of its own. */

export interface InstanceType {
  vcpus: number;
  memoryMiB: number;
  gpus: number;
}

/** vCPUs of the sizes that the general families share. */
const vcpusOfSize: Record<string, number> = {
  large: 2,
  xlarge: 4,
  '2xlarge': 8,
  '4xlarge': 16,
  '8xlarge': 32,
  '12xlarge': 48,
  '16xlarge': 64,
  '24xlarge': 96,
  '48xlarge': 192,
};

const gibPerVcpu: Record<string, number> = { c: 2, m: 4, r: 8 };

/** vCPUs, GiB, GPUs. */
const accelerated: Record<string, [vcpus: number, gib: number, gpus: number]> = {
  'g4dn.xlarge': [4, 16, 1],
  'g4dn.2xlarge': [8, 32, 1],
  'g4dn.4xlarge': [16, 64, 1],
  'g4dn.8xlarge': [32, 128, 1],
  'g4dn.12xlarge': [48, 192, 4],
  'g4dn.16xlarge': [64, 256, 1],
  'g5.xlarge': [4, 16, 1],
  'g5.2xlarge': [8, 32, 1],
  'g5.4xlarge': [16, 64, 1],
  'g5.8xlarge': [32, 128, 1],
  'g5.12xlarge': [48, 192, 4],
  'g5.16xlarge': [64, 256, 1],
  'g5.24xlarge': [96, 384, 4],
  'g5.48xlarge': [192, 768, 8],
  'g6.xlarge': [4, 16, 1],
  'g6.2xlarge': [8, 32, 1],
  'g6.4xlarge': [16, 64, 1],
  'g6.8xlarge': [32, 128, 1],
  'g6.12xlarge': [48, 192, 4],
  'g6.16xlarge': [64, 256, 1],
  'g6.24xlarge': [96, 384, 4],
  'g6.48xlarge': [192, 768, 8],
  'g6e.xlarge': [4, 32, 1],
  'g6e.2xlarge': [8, 64, 1],
  'g6e.4xlarge': [16, 128, 1],
  'g6e.8xlarge': [32, 256, 1],
  'g6e.12xlarge': [48, 384, 4],
  'g6e.16xlarge': [64, 512, 1],
  'g6e.24xlarge': [96, 768, 4],
  'g6e.48xlarge': [192, 1536, 8],
  'p3.2xlarge': [8, 61, 1],
  'p3.8xlarge': [32, 244, 4],
  'p3.16xlarge': [64, 488, 8],
  'p4d.24xlarge': [96, 1152, 8],
  'p5.4xlarge': [16, 256, 1],
  'p5.48xlarge': [192, 2048, 8],
};

/** A host keeps some of its nominal memory for itself and registers the rest with Batch. */
const registeredShare = 0.94;

/** What a host of this type offers to jobs. Throws for a type that this table doesn't have. */
export function instanceType(name: string): InstanceType {
  const [vcpus, gib, gpus] = accelerated[name] ?? general(name);
  return { vcpus, memoryMiB: Math.floor(gib * 1024 * registeredShare), gpus };
}

/** Compute, general and memory families of the sixth generation and later: `c7i.xlarge`, `m6a.4xlarge`, … */
function general(name: string): [vcpus: number, gib: number, gpus: number] {
  const [, letter = '', size = ''] = /^([cmr])[678][ai]\.(\w+)$/.exec(name) ?? [];
  const vcpus = vcpusOfSize[size];
  const ratio = gibPerVcpu[letter];
  if (vcpus === undefined || ratio === undefined)
    throw new Error(
      `The embedded cloud doesn't know the instance type ${name}. Add it to local/batch/instance-types.ts.`,
    );
  return [vcpus, vcpus * ratio, 0];
}
