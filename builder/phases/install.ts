/** Readies the host, where it is ours. */
import { findDocker } from '../docker.ts';
import type { Environment } from '../environment.ts';
import { shieldContainers, useContainerdStore } from '../host.ts';
import { say } from '../output.ts';

export async function install({ BUILDER_HOST, BUILDER_CACHE_MODE }: Environment): Promise<void> {
  if (BUILDER_HOST !== 'dedicated') return;
  if (BUILDER_CACHE_MODE === 'registry') await useContainerdStore(await findDocker());
  await shieldContainers();
  say('host prepared');
}
