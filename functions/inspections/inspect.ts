/** I6: what an image is made of, asked of its registry. */
import { conflict, invalid } from '../../shared/http/problem.ts';
import { anyImage } from '../../shared/images/find.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import type { Inspection } from '../../shared/model/inspection.ts';
import type { RegistryAccess } from '../../shared/registry/access.ts';
import {
  type Inspected,
  type InspectedManifest,
  inspectImage,
  servedVersions,
} from '../../shared/registry/inspect.ts';
import { type RegistryClient, RegistryError, type RegistryErrorCode } from '../../shared/registry/model.ts';
import { unreachable } from '../../shared/registry/network-errors.ts';
import { parsePlatform } from '../../shared/registry/platforms.ts';
import {
  dockerHub,
  formatReference,
  type ImageLocation,
  InvalidReferenceError,
  joinReference,
  parseReference,
  referenceOf,
} from '../../shared/registry/reference.ts';
import type { Table } from '../../shared/store/table.ts';

export interface InspectionDependencies {
  table: Table;
  access: Pick<RegistryAccess, 'clientFor'>;
  /** Host of the deployment's own ECR. */
  ecrRegistry: string;
}

export interface Wanted {
  organisation: string;
  platform?: string | undefined;
  versions: 'one' | 'all';
  /** When to give up on a registry that is slow everywhere. */
  withinMs: number;
}

/** Manifests longer than this are named without their text: an answer has to fit into what Lambda can give. */
const documentLimitBytes = 256 * 1024;
const answerLimitBytes = 5 * 1024 * 1024;

/** Throws 404, 409 `image-not-ready`, and 422 for what the registry doesn't give. */
export async function inspectKnown(
  dependencies: InspectionDependencies,
  id: string,
  wanted: Wanted,
): Promise<Inspection> {
  const { digest, uri, status, source } = await anyImage(dependencies, wanted.organisation, id);
  // One of the catalogue is what its tag names now.
  if (!digest && source !== 'catalogue')
    throw conflict('image-not-ready', `The image is ${status}, so Slipway can't inspect it yet.`);
  const { host = dockerHub, ...reference } = parseReference(uri);
  const location = { ...joinReference(reference, host), ...(digest ? { digest } : {}) };
  return await inspect(dependencies, location, wanted, (code) =>
    code === 'no-platform' ? '?platform' : '{id}',
  );
}

/** Throws 422 for what is no image name and what the registry doesn't give. */
export async function inspectUrl(
  dependencies: InspectionDependencies,
  url: string,
  wanted: Wanted,
): Promise<Inspection> {
  return await inspect(dependencies, locationOf(url), wanted, (code) =>
    code === 'no-platform' ? '/platform' : '/url',
  );
}

function locationOf(url: string): ImageLocation {
  try {
    const { host = dockerHub, ...reference } = parseReference(url);
    return joinReference(reference, host);
  } catch (error) {
    if (error instanceof InvalidReferenceError) throw invalid({ pointer: '/url', message: error.message });
    throw error;
  }
}

async function inspect(
  { access }: InspectionDependencies,
  location: ImageLocation,
  { organisation, platform, versions, withinMs }: Wanted,
  pointer: (code: RegistryErrorCode) => string,
): Promise<Inspection> {
  const { host, repository, tag } = location;
  return await registryAnswer(pointer, () =>
    within(withinMs, host, async () => {
      const client = await access.clientFor(organisation, host, repository);
      const found = await inspectImage(client, repository, referenceOf(location), platform);
      const others =
        versions === 'all' ? await servedVersions(client, repository, tag ?? referenceOf(location)) : [];
      return await shown(client, location, found, others);
    }),
  );
}

async function shown(
  client: RegistryClient,
  location: ImageLocation,
  found: Inspected,
  others: InspectedManifest[],
): Promise<Inspection> {
  const { createdAt, ...config } = found.config;
  const distinct = new Map([...found.manifests, ...others].map((one) => [one.digest, one]));
  const link = (digest: string) => client.manifestUrl(location.repository, digest);
  const inspection: Inspection = {
    uri: formatReference({ ...location, digest: found.digest }),
    digest: found.digest,
    mediaType: found.mediaType,
    selfLink: await link(found.digest),
    platform: found.platform,
    platforms: found.platforms,
    platformDigest: found.platformDigest,
    sizeBytes: found.sizeBytes,
    layers: found.layers.map(({ digest, mediaType, size }) => ({ digest, mediaType, sizeBytes: size })),
    config: {
      digest: found.configDigest,
      ...(parsePlatform(found.platform) ?? { os: '', architecture: '' }),
      created: createdAt,
      ...config,
    },
    manifests: await Promise.all(
      [...distinct.values()].map(async ({ version, mediaType, digest, body, document }) => ({
        version,
        mediaType,
        digest,
        sizeBytes: body.length,
        selfLink: await link(digest),
        ...(body.length <= documentLimitBytes ? { document } : {}),
      })),
    ),
  };
  if (Buffer.byteLength(JSON.stringify(inspection)) > answerLimitBytes)
    throw new RegistryError(
      'too-large',
      client.host,
      'The configuration of this image is too large to return',
    );
  return inspection;
}

/** Each request has its own time-out; together they may still last longer than the caller waits. */
async function within<T>(milliseconds: number, host: string, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(
      () => fail(unreachable(host, 'responded too slowly to inspect the image')),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
