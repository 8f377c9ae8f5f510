/** The registries of a job, as this host reaches them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobSpec } from '../shared/model/build-spec.ts';
import { createNetwork, type Network } from '../shared/registry/network.ts';
import { parseReference } from '../shared/registry/reference.ts';
import { baseLocations } from './bases.ts';
import type { Environment } from './environment.ts';

export const networkOf = ({
  privateRegistries,
  certificateAuthorities,
}: Pick<JobSpec, 'privateRegistries' | 'certificateAuthorities'>): Network =>
  createNetwork({ privateHosts: privateRegistries, ca: certificateAuthorities });

/**
 * The engine of a host that is ours alone trusts the stage's authorities, too, for the registries of this job: it looks
 * into this folder at each request. On a machine of somebody's, whom its engine trusts is for them to say.
 */
export async function trustAuthorities(
  { BUILDER_HOST }: Pick<Environment, 'BUILDER_HOST'>,
  spec: JobSpec,
  folder = '/etc/docker/certs.d',
): Promise<void> {
  if (BUILDER_HOST !== 'dedicated' || spec.certificateAuthorities === undefined) return;
  for (const host of hostsOf(spec)) {
    await mkdir(join(folder, host), { recursive: true });
    await writeFile(join(folder, host, 'slipway.crt'), spec.certificateAuthorities);
  }
}

/** Whom the engine will ask. */
function hostsOf(spec: JobSpec): Set<string> {
  if (spec.kind === 'validation') return new Set([spec.image.host]);
  if (spec.kind === 'mirror') return new Set();
  const own = [spec.target, spec.cache].flatMap((uri) => parseReference(uri).host ?? []);
  return new Set([...own, ...baseLocations(spec).map(({ location }) => location.host)]);
}
