/** B6: base images of more than one account at a host. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allInOrder } from '../shared/concurrency/all-in-order.ts';
import { pinArgs, pinnedTo, replaceArgs, replaceBases } from '../shared/dockerfile/bases.ts';
import type { BuildSpec } from '../shared/model/build-spec.ts';
import { createRegistryClient } from '../shared/registry/client.ts';
import type { ImageLocation } from '../shared/registry/reference.ts';
import type { Aws } from './aws.ts';
import { addLogin, fetchCredentials, loginOf, writeDockerConfig } from './credentials.ts';
import { say } from './output.ts';
import { startPassThrough } from './pass-through.ts';
import { networkOf } from './registries.ts';
import type { Work } from './work.ts';

const folderOf = ({ secrets }: Work, index: number) => join(secrets, 'accounts', String(index));

/** A Docker configuration for each base whose account the build's own has no room for. */
export async function logInOthers(
  { otherAccounts = [] }: Pick<BuildSpec, 'otherAccounts'>,
  work: Work,
  aws: Aws,
): Promise<void> {
  await allInOrder(
    otherAccounts.map(async ({ credentials }, index) => {
      const folder = folderOf(work, index);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeDockerConfig(folder, await fetchCredentials([credentials], aws));
    }),
  );
}

/** Folder of the Docker configuration that has the account of a base. */
export function configFor(
  { otherAccounts = [] }: Pick<BuildSpec, 'otherAccounts'>,
  work: Work,
  { host, repository }: Pick<ImageLocation, 'host' | 'repository'>,
): string {
  const index = otherAccounts.findIndex(
    (other) => other.credentials.host === host && other.repository === repository,
  );
  return index < 0 ? work.docker.config : folderOf(work, index);
}

/** How the engine gets the base images of one build, until `stop`. */
interface Reach {
  buildArgs: Record<string, string>;
  /** What the engine says, with the images' own names. */
  withOwnNames(line: string): string;
  stop(): Promise<void>;
}

/**
 * Writes the Dockerfile and build arguments with the digests of all bases, and those of other accounts by where the engine
 * gets them without such an account.
 */
export async function reachBases(spec: BuildSpec, work: Work): Promise<Reach> {
  const buildArgs = pinArgs(spec.buildArgs, spec.bases);
  const { otherAccounts } = spec;
  const write = (nameOf: (reference: string) => string | undefined) => {
    const reached = (reference: string) => {
      const pinned = pinnedTo(reference, spec.bases) ?? reference;
      return nameOf(pinned) ?? pinned;
    };
    const dockerfile = replaceBases(spec.dockerfile, spec.buildArgs, reached);
    return writeFile(work.dockerfile, dockerfile, { mode: 0o600 });
  };
  if (!otherAccounts) await write(() => undefined);
  if (!otherAccounts) return { buildArgs, withOwnNames: (line) => line, stop: () => Promise.resolve() };
  const network = networkOf(spec);
  const passed = await Promise.all(
    otherAccounts.map(async ({ repository, credentials: { host } }, index) => {
      say(`using the registry's own account for ${host}/${repository}`);
      const credentials = await loginOf(folderOf(work, index), host);
      return { repository, client: createRegistryClient({ host, network, credentials }) };
    }),
  );
  const { host, credentials, nameOf, withOwnNames, stop } = await startPassThrough(passed, say);
  await addLogin(work.docker.config, host, credentials);
  await write(nameOf);
  return {
    buildArgs: replaceArgs(buildArgs, nameOf),
    withOwnNames,
    async stop() {
      await stop();
      network.close();
    },
  };
}
