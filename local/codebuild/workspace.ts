/** The folders and the environment of one build. */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { AwsError, type Cloud, type Principal } from '../platform.ts';
import { type Build, sessionOf } from './build.ts';
import type { Project } from './project.ts';

export interface Workspace {
  sourceFolder: string;
  stateFolder: string;
  environment: Record<string, string>;
  remove(): Promise<void>;
}

const folderOf = (cloud: Cloud, build: Build) =>
  join(cloud.home, 'codebuild', build.id.split(':')[1] ?? build.id);

export const removeWorkspace = (cloud: Cloud, build: Build): Promise<void> =>
  rm(folderOf(cloud, build), { recursive: true, force: true });

/** Removes those of builds that an earlier cloud had under way. */
export const removeWorkspaces = (cloud: Cloud): void =>
  rmSync(join(cloud.home, 'codebuild'), { recursive: true, force: true });

/** Fetches the build's source, as its role may, into a folder of its own. Throws `AwsError` where it can't. */
export async function createWorkspace(
  cloud: Cloud,
  project: Project,
  build: Build,
  role: Principal,
  dockerHost: string | undefined,
): Promise<Workspace> {
  const folder = folderOf(cloud, build);
  await rm(folder, { recursive: true, force: true });
  const [sourceFolder, stateFolder, home, temporary] = ['src', 'state', 'home', 'tmp'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  for (const one of [sourceFolder, stateFolder, home, temporary]) mkdirSync(one, { recursive: true });
  linkDockerPlugins(home);
  if (build.sourceLocation) await fetchSource(cloud, role, build.sourceLocation, sourceFolder);
  const environment: Record<string, string> = {
    ...inherited(),
    HOME: home,
    TMPDIR: temporary,
    ...(dockerHost && { DOCKER_HOST: dockerHost }),
    AWS_REGION: cloud.region,
    AWS_DEFAULT_REGION: cloud.region,
    AWS_ENDPOINT_URL: cloud.endpointUrl,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: cloud.credentialsUrl(
      build.serviceRole,
      'codebuild.amazonaws.com',
      sessionOf(build),
    ),
    CODEBUILD_BUILD_ARN: build.arn,
    CODEBUILD_BUILD_ID: build.id,
    CODEBUILD_BUILD_IMAGE: build.environment.image,
    CODEBUILD_BUILD_NUMBER: String(build.number),
    CODEBUILD_INITIATOR: build.initiator,
    CODEBUILD_LOG_PATH: build.logStream,
    CODEBUILD_SRC_DIR: sourceFolder,
    CODEBUILD_START_TIME: String(build.startedAt),
    ...project.buildspec.env.variables,
    ...(await variables(cloud, role, project, build)),
  };
  return { sourceFolder, stateFolder, environment, remove: () => removeWorkspace(cloud, build) };
}

/** What a build may see of the machine it runs on: how to find programs, nothing of the user's. */
function inherited(): Record<string, string> {
  const names = [
    'LANG',
    'SLIPWAY_DOCKER',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
    'DOCKER_TLS_VERIFY',
    'DOCKER_CERT_PATH',
  ];
  const kept = names.flatMap((name) =>
    process.env[name] ? [[name, process.env[name]] as [string, string]] : [],
  );
  return {
    ...Object.fromEntries(kept),
    PATH: [dirname(process.execPath), process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'].join(delimiter),
  };
}

/** The user's Docker plugins (buildx among them) without the user's Docker credentials. */
function linkDockerPlugins(home: string): void {
  const plugins = join(homedir(), '.docker', 'cli-plugins');
  if (!existsSync(plugins)) return;
  mkdirSync(join(home, '.docker'));
  symlinkSync(plugins, join(home, '.docker', 'cli-plugins'));
}

async function fetchSource(cloud: Cloud, role: Principal, location: string, folder: string): Promise<void> {
  cloud.authorize(role, 's3:GetObject', `arn:aws:s3:::${location}`);
  const asset = cloud.assets.get(location);
  if (asset?.packaging !== 'zip')
    throw new AwsError('NoSuchKey', `The specified key does not exist: ${location}`, 404);
  await cp(asset.path, folder, { recursive: true, verbatimSymlinks: true });
}

async function variables(
  cloud: Cloud,
  role: Principal,
  project: Project,
  build: Build,
): Promise<Record<string, string>> {
  const secrets = Object.entries(project.buildspec.env['secrets-manager']).map(([name, value]) => ({
    name,
    value,
  }));
  const plain = build.environment.variables.filter((one) => one.type === 'PLAINTEXT');
  const secret = [...secrets, ...build.environment.variables.filter((one) => one.type === 'SECRETS_MANAGER')];
  return Object.fromEntries([
    ...plain.map(({ name, value }) => [name, value]),
    ...secret.map(({ name, value }) => [name, cloud.readSecret(role, value)]),
  ]);
}
