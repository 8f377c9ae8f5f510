/** Base images for the demo and the tests: a public one where a registry answers, else one from Debian packages. */
import { isPublished, publish } from './base-image/publish.ts';
import { pythonImage } from './base-image/python.ts';
import { tinyImage } from './base-image/tiny.ts';
import type { Engine } from './engine.ts';
import type { LocalCloud } from './local-cloud.ts';
import type { Detail } from './progress.ts';

/** Docker's own image, from a registry that doesn't count the pulls of all who share an address, as CodeBuild's hosts do. */
const PUBLIC_PYTHON = 'public.ecr.aws/docker/library/python:3.13-slim';

export interface BaseImage {
  /** What to write after `FROM`. */
  reference: string;
  /** Where it came from, for people. */
  origin: string;
}

/** Whether the public registry answers at all; it asks for a token, which is an answer. */
async function publicRegistryAnswers(): Promise<boolean> {
  try {
    const answer = await fetch('https://public.ecr.aws/v2/', { signal: AbortSignal.timeout(5000) });
    return answer.status === 401 || answer.status === 200;
  } catch {
    // No route, no name, no TLS, no time: all the same here.
    return false;
  }
}

/**
 * A Python base image: `SLIPWAY_BASE_IMAGE` where that is set, ECR Public's where it answers, else one from Debian
 * packages in the organisation's own ECR space (kept by engine and cloud: half a minute once, then at once).
 */
export async function ensurePythonBase(
  engine: Engine,
  cloud: LocalCloud,
  organisation: string,
  detail: Detail,
): Promise<BaseImage> {
  const chosen = process.env.SLIPWAY_BASE_IMAGE;
  if (chosen) return { reference: chosen, origin: 'SLIPWAY_BASE_IMAGE' };
  detail('asking ECR Public');
  if (await publicRegistryAnswers()) return { reference: PUBLIC_PYTHON, origin: 'ECR Public' };
  const target = { cloud, repository: `${organisation}/python`, tag: '3-debian' };
  const origin = 'from Debian packages, since ECR Public does not answer';
  if (await isPublished(target))
    return { reference: `${cloud.registryHost}/${target.repository}:${target.tag}`, origin };
  detail('ECR Public does not answer; making an image from Debian packages');
  return { reference: await publish(engine, await pythonImage(engine, detail), target, detail), origin };
}

/** A base image of 2 MB with a shell, `<organisation>/tiny:1` in the embedded cloud's ECR. For tests. */
export async function ensureTinyBase(
  engine: Engine,
  cloud: LocalCloud,
  organisation: string,
  detail: Detail = () => {},
): Promise<BaseImage> {
  const target = { cloud, repository: `${organisation}/tiny`, tag: '1' };
  const origin = 'one static busybox';
  if (await isPublished(target))
    return { reference: `${cloud.registryHost}/${target.repository}:${target.tag}`, origin };
  return { reference: await publish(engine, await tinyImage(engine, detail), target, detail), origin };
}
