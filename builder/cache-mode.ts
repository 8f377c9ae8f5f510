/** Which layer cache a build really can use. */
import type { Docker } from './docker.ts';
import type { Environment } from './environment.ts';
import { say } from './output.ts';

export type CacheMode = Environment['BUILDER_CACHE_MODE'];

/**
 * What the stage says, as far as the engine of a host of ours can do it: buildx exports a registry cache only from the
 * containerd image store, and refuses the whole build otherwise. A slower cache is better than no build.
 */
export async function cacheModeOf(
  { BUILDER_CACHE_MODE, BUILDER_HOST }: Pick<Environment, 'BUILDER_CACHE_MODE' | 'BUILDER_HOST'>,
  docker: Docker,
): Promise<CacheMode> {
  if (BUILDER_CACHE_MODE === 'inline' || BUILDER_HOST !== 'dedicated') return BUILDER_CACHE_MODE;
  const lines: string[] = [];
  const exitCode = await docker.run(['info', '--format', '{{json .DriverStatus}}'], (line) =>
    lines.push(line),
  );
  if (exitCode === 0 && lines.join('').includes('io.containerd.snapshotter.v1')) return 'registry';
  say('the engine does not use the containerd image store, so the layer cache is stored in the image itself');
  return 'inline';
}
