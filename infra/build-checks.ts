/** Checks that CodeBuild has what the stage's build computes promise: StartBuild itself would refuse every build. */
import type { BuildCompute, Stage } from '../shared/model/stage.ts';

/** CodeBuild's compute types for Linux on x86-64 whose builds may run a container engine. */
const computeTypes: Record<string, { vcpus: number; memoryMiB: number }> = {
  BUILD_GENERAL1_SMALL: { vcpus: 2, memoryMiB: 4 * 1024 },
  BUILD_GENERAL1_MEDIUM: { vcpus: 4, memoryMiB: 8 * 1024 },
  BUILD_GENERAL1_LARGE: { vcpus: 8, memoryMiB: 16 * 1024 },
  BUILD_GENERAL1_XLARGE: { vcpus: 36, memoryMiB: 72 * 1024 },
  BUILD_GENERAL1_2XLARGE: { vcpus: 72, memoryMiB: 144 * 1024 },
};

/** What is wrong with the stage's build computes, one sentence each, saying what to change. */
export function buildProblems(stage: Stage): string[] {
  return stage.computes.flatMap((compute) => (compute.use === 'build' ? problemsOf(compute) : []));
}

function problemsOf({ name, computeType, vcpus, memoryMiB }: BuildCompute): string[] {
  const type = Object.hasOwn(computeTypes, computeType) ? computeTypes[computeType] : undefined;
  if (!type)
    return [
      `computes: ${name}: CodeBuild has no computeType "${computeType}" for these builds; use one of ${Object.keys(computeTypes).join(', ')}`,
    ];
  if (vcpus <= type.vcpus && memoryMiB <= type.memoryMiB) return [];
  return [
    `computes: ${name} (${vcpus} vCPU, ${memoryMiB} MiB) promises more than ${computeType} has (${type.vcpus} vCPU, ${type.memoryMiB} MiB); lower it or use a larger computeType`,
  ];
}
