/** The registry's own view of images: what it has, asked with the credentials of the build. */
import { createRegistryClient } from '../shared/registry/client.ts';
import { RegistryError } from '../shared/registry/model.ts';
import type { Network } from '../shared/registry/network.ts';
import { type ImageLocation, parseReference, referenceOf } from '../shared/registry/reference.ts';
import { loginOf } from './credentials.ts';

export interface RegistryView {
  /** Whether there is a manifest under this tag. A registry that doesn't answer has none. */
  has(uri: string): Promise<boolean>;
  /** Of what lies under this tag; undefined where nothing does. Throws `RegistryError`. */
  digestOf(uri: string): Promise<string | undefined>;
  /** Asks for the right to push there. Throws `RegistryError`. */
  probePush(uri: string): Promise<void>;
  /**
   * The digest of a base that can be pulled with these credentials, or why it can't: `missing` and `unauthorized` are the
   * registry's own words, `unavailable` says that it can't be asked at this moment.
   */
  findBase(base: ImageLocation): Promise<FoundBase>;
  /** Compressed size and platform of what lies under `digest` beside `uri`. */
  describe(uri: string, digest: string): Promise<{ sizeBytes: number; platform: string }>;
  /** Gives `digest` the tag of `to` as well. False where that is in another repository. */
  tagAs(uri: string, digest: string, to: string): Promise<boolean>;
  /** Whether the inline cache of `digest` has the layers of every step that it names. */
  hasWholeCache(uri: string, digest: string): Promise<boolean>;
}

export type FoundBase =
  | { digest: string; why?: undefined }
  | { why: 'missing' | 'unauthorized' | 'unavailable'; message: string };

/** What has no inputs is a source, such as the base image, and has no layers of its own. */
interface InlineCacheStep {
  inputs?: unknown;
  layers?: unknown;
}

const configLimitBytes = 8 * 1024 * 1024;

/** `configFolder` holds the build's Docker configuration. */
export function createRegistryView(configFolder: string, network: Network): RegistryView {
  const clientOf = async (host: string) =>
    createRegistryClient({ host, network, credentials: await loginOf(configFolder, host) });
  return {
    async has(uri) {
      const { host, repository, tag } = located(uri);
      try {
        const client = await clientOf(host);
        return (await client.headManifest(repository, tag)) !== undefined;
      } catch {
        // Only a cache is asked for this way: the build goes on without it.
        return false;
      }
    },
    async digestOf(uri) {
      const { host, repository, tag } = located(uri);
      return (await (await clientOf(host)).headManifest(repository, tag))?.digest;
    },
    async probePush(uri) {
      const { host, repository } = located(uri);
      const client = await clientOf(host);
      try {
        await client.probePush(repository);
      } catch (error) {
        // Any web server may answer this with something: then it says what it is.
        if (error instanceof RegistryError && isOddAnswer(error)) await client.ping();
        throw error;
      }
    },
    async findBase(base) {
      const { host, repository } = base;
      try {
        const found = await (await clientOf(host)).headManifest(repository, referenceOf(base));
        if (!found) return { why: 'missing', message: `${host}/${repository} does not have this image` };
        return { digest: found.digest };
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        const { status, message } = error;
        if (status === 401 || status === 403) return { why: 'unauthorized', message };
        return { why: status === 404 ? 'missing' : 'unavailable', message };
      }
    },
    async describe(uri, digest) {
      const { host, repository } = located(uri);
      const { sizeBytes, platform } = await (await clientOf(host)).resolveManifest(repository, digest);
      return { sizeBytes, platform };
    },
    async tagAs(uri, digest, to) {
      const [from, target] = [located(uri), located(to)];
      if (from.host !== target.host || from.repository !== target.repository) return false;
      const client = await clientOf(from.host);
      const { mediaType, body } = await client.getManifest(from.repository, digest);
      await client.putManifest(target.repository, target.tag, mediaType, body);
      return true;
    },
    async hasWholeCache(uri, digest) {
      const { host, repository } = located(uri);
      const client = await clientOf(host);
      const { configDigest = digest } = await client.resolveManifest(repository, digest);
      const config = await client.readBlob(repository, configDigest, configLimitBytes);
      const { 'moby.buildkit.cache.v0': kept } = JSON.parse(config.toString()) as Record<string, string>;
      if (typeof kept !== 'string') return false;
      const steps = JSON.parse(Buffer.from(kept, 'base64').toString()) as InlineCacheStep[];
      return steps.every(({ inputs, layers }) => inputs === undefined || layers !== undefined);
    },
  };
}

const isOddAnswer = ({ code, status }: RegistryError) =>
  code === 'not-found' || code === 'refused' || status === 405;

function located(uri: string): { host: string; repository: string; tag: string } {
  const { host, repository, tag } = parseReference(uri);
  if (host === undefined || tag === undefined) throw new Error(`${uri} lacks a host or a tag`);
  return { host, repository, tag };
}
