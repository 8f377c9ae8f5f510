/** What one phase leaves to the next: a private folder, with the state of the build in it. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobSpec } from '../shared/model/build-spec.ts';
import type { CacheMode } from './cache-mode.ts';
import type { Environment } from './environment.ts';

export interface Work {
  readonly folder: string;
  readonly docker: { config: string };
  readonly dockerfile: string;
  readonly context: string;
  readonly secrets: string;
}

/** What is known so far. */
export interface State<S extends JobSpec = JobSpec> {
  spec: S;
  /** Path of the Docker client. */
  client: string;
  /** Whether an earlier build of the repository left a layer cache. */
  cacheExists: boolean;
  cacheMode: CacheMode;
  /** Of a build: when its Docker configuration got its credentials, ISO 8601. */
  loggedInAt?: string;
  /** Of a validation: the image in the engine, and whether it is there only because of it. */
  image?: { reference: string; fetched: boolean };
  timingsMs: Record<string, number>;
  /** The result was written, so that no later phase writes another. */
  published?: boolean;
}

/** The build's own folder: named after it, readable by nobody else. */
export function workOf({ CODEBUILD_BUILD_ID, BUILDER_HOST }: Environment): Work {
  const name = `slipway-${CODEBUILD_BUILD_ID.replace(/[^A-Za-z0-9-]/g, '-')}`;
  const folder = join(tmpdir(), name);
  // Memory where the host is ours; a machine of someone's has its temporary folder removed with the build.
  const secrets = BUILDER_HOST === 'dedicated' ? join('/dev/shm', name) : join(folder, 'secrets');
  return {
    folder,
    docker: { config: join(secrets, 'docker') },
    dockerfile: join(folder, 'Dockerfile'),
    context: join(folder, 'context'),
    secrets,
  };
}

export async function createWork(work: Work): Promise<void> {
  await removeWork(work);
  for (const folder of [work.folder, work.secrets, work.docker.config, work.context])
    await mkdir(folder, { recursive: true, mode: 0o700 });
}

export async function removeWork(work: Work): Promise<void> {
  await rm(work.secrets, { recursive: true, force: true });
  await rm(work.folder, { recursive: true, force: true });
}

const stateFile = (work: Work) => join(work.folder, 'state.json');

export async function saveState(work: Work, state: State): Promise<void> {
  const draft = `${stateFile(work)}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(state), { mode: 0o600 });
  await rename(draft, stateFile(work));
}

/** Nothing where the phase before didn't get that far. */
export async function loadState(work: Work): Promise<State | undefined> {
  try {
    return JSON.parse(await readFile(stateFile(work), 'utf8')) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** File of the secret that a step mounts by this id. */
export const secretPath = (work: Work, id: string) => join(work.secrets, 'mounts', id);
