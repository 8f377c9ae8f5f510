/** What EC2 instance types have, for the checks at synth. Only x86-64: the images that jobs run are built for it. */

export interface InstanceType {
  vcpus: number;
  /** Nominal memory; a host registers less than this with Batch. */
  memoryMiB: number;
  gpus: number;
}

/** vCPUs of the sizes that the general families share. */
const sizes: Record<string, number> = {
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

/** GiB of memory per vCPU, and the sizes a family comes in. */
const generations = { earlier: Object.keys(sizes).slice(0, -1), latest: Object.keys(sizes) };
const families: Record<string, { gibPerVcpu: number; sizes: string[] }> = {
  ...family(['c6i', 'c6a'], 2, generations.earlier),
  ...family(['c7i', 'c7a'], 2, generations.latest),
  ...family(['m6i', 'm6a'], 4, generations.earlier),
  ...family(['m7i', 'm7a'], 4, generations.latest),
  ...family(['r6i', 'r6a'], 8, generations.earlier),
  ...family(['r7i', 'r7a'], 8, generations.latest),
};

function family(names: string[], gibPerVcpu: number, of: string[]) {
  return Object.fromEntries(names.map((name) => [name, { gibPerVcpu, sizes: of }]));
}

/** Accelerated types: vCPUs, GiB, GPUs. */
const accelerated: Record<string, [vcpus: number, gib: number, gpus: number]> = {
  'g4dn.xlarge': [4, 16, 1],
  'g4dn.2xlarge': [8, 32, 1],
  'g4dn.4xlarge': [16, 64, 1],
  'g4dn.8xlarge': [32, 128, 1],
  'g4dn.12xlarge': [48, 192, 4],
  'g4dn.16xlarge': [64, 256, 1],
  'g4dn.metal': [96, 384, 8],
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
  'p4de.24xlarge': [96, 1152, 8],
  'p5.4xlarge': [16, 256, 1],
  'p5.48xlarge': [192, 2048, 8],
  'p5e.48xlarge': [192, 2048, 8],
  'p5en.48xlarge': [192, 2048, 8],
};

/** Finds a type by its EC2 name, such as `g5.xlarge`; undefined when this table doesn't have it. */
export function instanceType(name: string): InstanceType | undefined {
  const known = accelerated[name];
  if (known) return { vcpus: known[0], memoryMiB: known[1] * 1024, gpus: known[2] };
  const [familyName = '', size = ''] = name.split('.');
  const one = families[familyName];
  const vcpus = sizes[size];
  if (!one || vcpus === undefined || !one.sizes.includes(size)) return undefined;
  return { vcpus, memoryMiB: vcpus * one.gibPerVcpu * 1024, gpus: 0 };
}
