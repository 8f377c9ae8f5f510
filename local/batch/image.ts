/** Getting a job's image into the engine, with the rights of the job's execution role. */
import type { Ecr } from '../ecr/ecr.ts';
import { EngineError } from '../engine/connection.ts';
import type { Engine, RegistryLogin } from '../engine/engine.ts';
import { AwsError, type Cloud, type Principal } from '../platform.ts';
import type { ContainerProperties } from './job-definition.ts';

/** Something that keeps a task from starting; the message is the container's `reason`, in the agent's own form. */
export class TaskStartError extends Error {
  override name = 'TaskStartError';
}

export interface ImageParts {
  cloud: Cloud;
  engine: Engine;
  ecr: Ecr;
}

const cannotPull = (message: string) => new TaskStartError(`CannotPullContainerError: ${message}`);

/** Throws `TaskStartError` (`CannotPullContainerError: …`) where the image can't be had. */
export async function pullImage(
  parts: ImageParts,
  container: ContainerProperties,
  execution: Principal | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { cloud, engine } = parts;
  const { image } = container;
  if (image.startsWith(`${cloud.registryHost}/`)) return pullFromEcr(parts, image, execution, signal);
  const login = repositoryLogin(cloud, container, execution);
  try {
    await engine.pull(image, login, signal);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    // An agent whose registry can't be reached falls back to what the host has; a registry's "no" is final.
    if (!isRefusal(error.message) && (await engine.inspectImage(image))) return;
    throw cannotPull(`Error response from daemon: ${error.message}`);
  }
}

/** As `ECS_IMAGE_PULL_BEHAVIOR=prefer-cached` does: an image by digest that is there needn't be pulled again. */
async function pullFromEcr(
  { cloud, engine, ecr }: ImageParts,
  image: string,
  execution: Principal | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!execution)
    throw cannotPull(
      `Error response from daemon: Head "http://${cloud.registryHost}/v2/": no basic auth credentials`,
    );
  const { repository, reference } = splitImage(image.slice(cloud.registryHost.length + 1));
  try {
    cloud.authorize(execution, 'ecr:GetAuthorizationToken', '*');
    ecr.checkPull(execution, repository, reference);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw cannotPull(`Error response from daemon: ${explain(error, image)}`);
  }
  if (reference.includes(':') && (await engine.inspectImage(image))) return;
  try {
    await engine.pull(
      image,
      { username: 'AWS', password: ecr.passwordFor(execution), serveraddress: cloud.registryHost },
      signal,
    );
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw cannotPull(`Error response from daemon: ${error.message}`);
  }
}

function explain(error: AwsError, image: string): string {
  if (error.code === 'ImageNotFoundException')
    return `manifest for ${image} not found: manifest unknown: ${error.message}`;
  if (error.code === 'RepositoryNotFoundException') return `name unknown: ${error.message}`;
  return `pull access denied for ${image.split(/[@]/)[0]}, repository does not exist or may require 'docker login': denied: ${error.message}`;
}

function repositoryLogin(
  cloud: Cloud,
  { image, repositoryCredentials }: ContainerProperties,
  execution: Principal | undefined,
): RegistryLogin | undefined {
  if (!repositoryCredentials) return undefined;
  if (!execution) throw cannotPull('repository credentials require an execution role');
  try {
    const secret = cloud.readSecret(execution, repositoryCredentials.credentialsParameter);
    const { username, password } = JSON.parse(secret) as { username: string; password: string };
    const first = image.split('/')[0] ?? '';
    const host =
      image.includes('/') && /[.:]|^localhost$/.test(first) ? first : 'https://index.docker.io/v1/';
    return { username, password, serveraddress: host };
  } catch (error) {
    throw cannotPull(`unable to retrieve registry credentials: ${(error as Error).message}`);
  }
}

const isRefusal = (message: string) =>
  /denied|unauthorized|forbidden|not found|unknown|no basic auth|toomanyrequests/i.test(message);

function splitImage(path: string): { repository: string; reference: string } {
  const at = path.indexOf('@');
  if (at > 0) return { repository: path.slice(0, at).replace(/:[^/]*$/, ''), reference: path.slice(at + 1) };
  const colon = path.lastIndexOf(':');
  return colon > 0
    ? { repository: path.slice(0, colon), reference: path.slice(colon + 1) }
    : { repository: path, reference: 'latest' };
}
