/** Readies the host, where it is ours. */
import { findDocker } from '../docker.ts';
import type { Environment } from '../environment.ts';
import { restartEngine } from '../host/engine.ts';
import { shieldContainers } from '../host/firewall.ts';
import { say } from '../output.ts';

export async function install({ BUILDER_HOST, BUILDER_CACHE_MODE }: Environment): Promise<void> {
  if (BUILDER_HOST !== 'dedicated') return;
  await restartEngine(await findDocker(), { containerdStore: BUILDER_CACHE_MODE === 'registry' });
  await shieldContainers();
  say('host prepared');
}
