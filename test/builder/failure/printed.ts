import { BuildProgress } from '../../../builder/failure/progress.ts';

/** Why a build failed that printed this, as BuildKit prints it: of Docker 20.10, and of buildx 0.2x. */
export function failureOf(output: string, hasFiles = true) {
  const progress = new BuildProgress(hasFiles);
  for (const line of output.trim().split('\n')) progress.take(line);
  return progress.failure();
}
