import type * as z from 'zod';
import type { computeSchema } from '../../shared/model/organisation.ts';
import type { Compute, Stage } from '../../shared/model/stage.ts';

/** O2: what the stage offers, in its order, which is the order in which builds try them. */
export function listComputes({ computes }: Pick<Stage, 'computes'>, use: Compute['use'] | undefined) {
  return { items: computes.filter((one) => use === undefined || one.use === use).map(toCompute) };
}

function toCompute(one: Compute): z.output<typeof computeSchema> {
  const { name, use, vcpus, memoryMiB, pricePerHourUsd } = one;
  const common = { name, use, vcpus, memoryMiB, pricePerHourUsd };
  if (one.use === 'build') return { ...common, gpus: 0, maxConcurrent: one.maxConcurrent, queues: [] };
  return { ...common, gpus: one.gpus, ...(one.gpuType ? { gpuType: one.gpuType } : {}), queues: one.queues };
}
