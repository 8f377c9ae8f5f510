/** What a build may leave behind: processes, containers, files. */
import type { Build } from './build.ts';
import type { WorkerParts } from './parts.ts';
import { killByEnvironment } from './processes.ts';
import { removeWorkspace } from './workspace.ts';

/** Label of containers that belong to a build and must not outlive it. */
const buildLabel = 'com.amazonaws.codebuild.build-id';
/** Label that names an image which is in the engine only because of the container. */
const imageLabel = 'com.amazonaws.codebuild.fetched-image';

/** Also those that have left the group of their command. */
export const endProcesses = (build: Build): void => void killByEnvironment('CODEBUILD_BUILD_ID', build.id);

/** Removes a build's containers and files. Never rejects: what the engine keeps now, a later round removes. */
export async function removeLeftovers(parts: WorkerParts, build: Build): Promise<void> {
  await removeContainers(parts, () => undefined, build.id);
  await removeWorkspace(parts.cloud, build);
}

/**
 * Removes the containers of recorded builds that no longer run, and the images that were fetched for them: the engine may
 * have been away when the build ended, or have made one whose client was killed meanwhile. `id` narrows it to one build.
 * Never rejects.
 */
export async function removeContainers(
  { cloud, store, engine }: WorkerParts,
  findRunning: (id: string) => Build | undefined,
  id?: string,
): Promise<void> {
  if (!engine) return;
  try {
    for (const { Id, Labels } of await engine.list({ [buildLabel]: id })) {
      const owner = Labels[buildLabel] ?? '';
      if (!store.get(owner) || findRunning(owner)) continue;
      await engine.remove(Id);
      const image = Labels[imageLabel];
      if (image) await engine.removeImage(image);
    }
  } catch (error) {
    cloud.log(
      'codebuild',
      `Could not remove containers of builds; the embedded cloud tries again later: ${(error as Error).message}`,
    );
  }
}
