/** What the rest of Slipway sees of a container registry: the client's interface, its answers and its one error. */
import type { Readable } from 'node:stream';
import type { CheckCause } from '../model/registry.ts';

/** Of a registry account, or of Docker's token exchange. */
export interface Credentials {
  username: string;
  password: string;
}

/**
 * Why a registry didn't do what was asked. Besides R9's causes: `not-found` (or hidden from these credentials),
 * `no-platform` (the image exists, but not for that platform), `too-large` (an answer above its limit), `corrupt`
 * (bytes that don't match their digest) and `refused` (any other 4xx; `detail` has the registry's own words).
 */
export type RegistryErrorCode =
  | CheckCause
  | 'not-found'
  | 'no-platform'
  | 'too-large'
  | 'corrupt'
  | 'refused';

export class RegistryError extends Error {
  readonly code: RegistryErrorCode;
  readonly host: string;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** With `rate-limited`: how long the registry asks to wait. */
  readonly retryAfterSeconds: number | undefined;
  constructor(
    code: RegistryErrorCode,
    host: string,
    message: string,
    more: { status?: number; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'RegistryError';
    this.code = code;
    this.host = host;
    this.status = more.status;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

/** A manifest or index as the registry serves it; `digest` was computed from `body`. */
export interface Manifest {
  digest: string;
  mediaType: string;
  body: Buffer;
}

/** A manifest with what `body` says. */
export interface ReadManifest extends Manifest {
  document: Record<string, unknown>;
}

export interface Descriptor {
  digest: string;
  mediaType: string;
  size: number;
}

/**
 * A blob on its way. The stream ends in a `RegistryError`: `corrupt` where its bytes aren't those of the digest, of which
 * the last are never read then, and `unreachable` where it breaks off.
 */
export interface BlobStream {
  stream: Readable;
  /** As the registry announced it; undefined where it didn't. */
  sizeBytes: number | undefined;
  /** What has come so far. */
  passedBytes(): number;
}

/** What refers to an image, as it was listed: with its type, its annotations and whatever else. */
export interface Referrer extends Descriptor {
  [field: string]: unknown;
}

export interface Referrers {
  manifests: Referrer[];
  /** Whether the registry keeps the list itself; clients of others keep it under a tag. */
  kept: boolean;
}

/** An image's configuration, in the fields that Slipway reads; absent ones are empty. */
export interface ImageConfig {
  env: string[];
  entrypoint: string[];
  command: string[];
  user: string;
  workingDir: string;
  labels: Record<string, string>;
  exposedPorts: string[];
  createdAt?: string;
}

export interface ResolvedManifest {
  /** Of what the name points at: an index's digest where it is one. */
  digest: string;
  mediaType: string;
  /** Of every platform, as `os/arch[/variant]`. */
  platforms: string[];
  /** The platform that was chosen. */
  platform: string;
  /** Manifest of that platform; the same as `digest` where there is no index. */
  platformDigest: string;
  /** Compressed layers and configuration of that platform. */
  sizeBytes: number;
  layers: Descriptor[];
  /** Absent for Docker's schema 1, whose configuration has no blob of its own. */
  configDigest?: string;
  config: ImageConfig;
}

/**
 * One registry, with one set of credentials. Every method throws `RegistryError`. `reference` is a tag or a digest;
 * `repository` is the whole path below the host.
 */
export interface RegistryClient {
  readonly host: string;
  /** Asks `/v2/` with the credentials: whether this is a registry that admits them. */
  ping(): Promise<void>;
  /** Digest and media type without the body; undefined where there is none. */
  headManifest(repository: string, reference: string): Promise<Omit<Manifest, 'body'> | undefined>;
  /** `accept` lists media types in place of every type there is; a registry may answer another one. */
  getManifest(repository: string, reference: string, accept?: string): Promise<ReadManifest>;
  /** Where the registry itself has a manifest. */
  manifestUrl(repository: string, reference: string): Promise<string>;
  /** `platform` is `os/arch[/variant]`; by default `linux/amd64`. */
  resolveManifest(repository: string, reference: string, platform?: string): Promise<ResolvedManifest>;
  /** Answers the digest. All that it refers to must be there. */
  putManifest(repository: string, reference: string, mediaType: string, body: Buffer): Promise<string>;
  deleteManifest(repository: string, reference: string): Promise<void>;
  /** Of the image with this digest; none where the registry knows nothing of referrers. */
  listReferrers(repository: string, digest: string): Promise<Referrers>;
  /** Undefined where there are more than `atMost`. */
  listTags(repository: string, atMost: number): Promise<string[] | undefined>;
  /** Size in bytes; undefined where there is none. */
  hasBlob(repository: string, digest: string): Promise<number | undefined>;
  getBlob(repository: string, digest: string): Promise<BlobStream>;
  /** A small blob as a whole, checked; `too-large` above `limitBytes`. */
  readBlob(repository: string, digest: string, limitBytes: number): Promise<Buffer>;
  /** A stream is what `getBlob` gave, of whatever registry; where it ends in an error, nothing was put. */
  putBlob(repository: string, digest: string, body: BlobStream | Buffer): Promise<void>;
  /** Whether the registry took the blob over from `from`; where it didn't, copy it. */
  mountBlob(repository: string, digest: string, from: string): Promise<boolean>;
  /** Asks for the right to push by beginning an upload and giving it up. */
  probePush(repository: string): Promise<void>;
}
