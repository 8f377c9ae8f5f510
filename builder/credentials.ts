/** Docker's configuration for this one build: credentials of exactly its registries, and nothing of the machine's user. */
import { existsSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { allInOrder } from '../shared/concurrency/all-in-order.ts';
import type { BuildSpec, CredentialsSource } from '../shared/model/build-spec.ts';
import type { Aws, Credentials } from './aws.ts';
import { BuildError } from './build-error.ts';

/** Where credentials come from. */
export type CredentialsOfAws = Pick<Aws, 'ecrCredentials' | 'registryCredentials'>;

/** Credentials by registry host. Throws `BuildError` where stored ones are gone. */
export async function fetchCredentials(
  registries: BuildSpec['registries'],
  aws: CredentialsOfAws,
): Promise<Record<string, Credentials>> {
  const found = await allInOrder(
    registries.map(async (one) => [one.host, await credentialsOf(one, aws)] as const),
  );
  return Object.fromEntries(found);
}

async function credentialsOf(source: CredentialsSource, aws: CredentialsOfAws): Promise<Credentials> {
  if (source.kind === 'ecr') return aws.ecrCredentials(source.region);
  const credentials = await aws.registryCredentials(source.secretArn);
  if (credentials) return credentials;
  throw new BuildError({
    code: 'secret-missing',
    message: `The stored credentials of ${source.host} no longer exist, or the builder may not read them.`,
  });
}

interface DockerConfig {
  auths: Record<string, { auth: string }>;
}

const configFile = (folder: string) => join(folder, 'config.json');

/** Writes `config.json` into `folder`, which the client gets as DOCKER_CONFIG. */
export async function writeDockerConfig(
  folder: string,
  credentials: Record<string, Credentials>,
): Promise<void> {
  const config: DockerConfig = {
    auths: Object.fromEntries(
      Object.entries(credentials).map(([host, one]) => [dockerKey(host), { auth: encoded(one) }]),
    ),
  };
  await writeFile(configFile(folder), JSON.stringify(config), { mode: 0o600 });
  // Plugins (buildx) are looked for beside the configuration, so the user's own stay reachable.
  const plugins = join(process.env.HOME ?? homedir(), '.docker', 'cli-plugins');
  const link = join(folder, 'cli-plugins');
  if (existsSync(plugins) && !existsSync(link)) await symlink(plugins, link);
}

/** One more host for the configuration that is there. */
export async function addLogin(folder: string, host: string, credentials: Credentials): Promise<void> {
  const { auths } = await readConfig(folder);
  const config: DockerConfig = { auths: { ...auths, [dockerKey(host)]: { auth: encoded(credentials) } } };
  await writeFile(configFile(folder), JSON.stringify(config), { mode: 0o600 });
}

/** What `folder` has for the host; nothing where that is none. */
export async function loginOf(folder: string, host: string): Promise<Credentials | undefined> {
  const stored = (await readConfig(folder)).auths[dockerKey(host)];
  if (!stored) return undefined;
  const [, username = '', password = ''] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(stored.auth, 'base64').toString()) ?? [];
  return { username, password };
}

const readConfig = async (folder: string) =>
  JSON.parse(await readFile(configFile(folder), 'utf8')) as DockerConfig;

const encoded = ({ username, password }: Credentials) =>
  Buffer.from(`${username}:${password}`).toString('base64');

/** Docker keeps the credentials of Docker Hub under its oldest address. */
const dockerKey = (host: string) => (host === 'docker.io' ? 'https://index.docker.io/v1/' : host);
