/** From the bytes of manifests and configurations to what an image is: pure, and refusing what makes no sense. */
import * as z from 'zod';
import { isDigest } from './digest.ts';
import { imageConfigs } from './media-types.ts';
import { type Descriptor, type ImageConfig, type Platform, RegistryError } from './model.ts';

const descriptor = z.object({
  mediaType: z.string().default(''),
  digest: z.string().refine(isDigest),
  size: z.int().nonnegative(),
});

const configuredSchema = z.object({ config: descriptor });
const layeredSchema = z.object({ layers: z.array(descriptor).max(1000) });

const indexSchema = z.object({
  manifests: z
    .array(
      descriptor.extend({
        platform: z
          .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
          .optional(),
        annotations: z.record(z.string(), z.string()).optional(),
      }),
    )
    .max(1000),
});

const strings = z.array(z.string()).nullish();
const configSchema = z.object({
  os: z.string().nullish(),
  architecture: z.string().nullish(),
  variant: z.string().nullish(),
  created: z.string().nullish(),
  config: z
    .object({
      Env: strings,
      Entrypoint: strings,
      Cmd: strings,
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
});

/** A thousand times what images have: a few bytes of JSON can become objects many times their size. */
const mostParts = 100_000;

/** `JSON.parse` for what a registry sent. Throws for what is no JSON, or has too many parts. */
export function parseJson(body: Buffer): unknown {
  let parts = 0;
  let quoted = false;
  // Most documents are too short to have too many.
  for (let at = 0; body.length > mostParts && at < body.length; at++) {
    const byte = body[at];
    if (byte === 0x22) quoted = !quoted;
    else if (byte === 0x5c && quoted) at++;
    else if (!quoted && (byte === 0x2c || byte === 0x5b || byte === 0x7b) && ++parts > mostParts)
      throw new Error('too many parts');
  }
  return JSON.parse(body.toString());
}

/** The document in `body`. Throws `corrupt` for what isn't a JSON object. */
export function readDocument(body: Buffer, host: string): Record<string, unknown> {
  try {
    const document = parseJson(body);
    if (typeof document === 'object' && document !== null && !Array.isArray(document))
      return document as Record<string, unknown>;
  } catch {
    // Told below like any other body that is no manifest.
  }
  throw new RegistryError('corrupt', host, `${host} sent a manifest that is no JSON object`);
}

/** Where a manifest's configuration lies. Throws `refused` for an artifact that is no image. */
export function readConfigDescriptor(document: unknown, host: string): Descriptor {
  const { config } = parse(configuredSchema, document, 'manifest', host);
  if (config.mediaType && !imageConfigs.includes(config.mediaType))
    throw new RegistryError(
      'refused',
      host,
      `This is no container image but ${config.mediaType.slice(0, 150)}`,
    );
  return config;
}

export const readLayers = (document: unknown, host: string): Descriptor[] =>
  parse(layeredSchema, document, 'manifest', host).layers;

/** An index's images with their platforms; attestations and entries without a platform are left out. */
export function readIndex(document: unknown, host: string): (Descriptor & { platform: Platform })[] {
  return parse(indexSchema, document, 'index', host).manifests.flatMap(({ platform, annotations, ...one }) =>
    platform && platform.os !== 'unknown' && !annotations?.['vnd.docker.reference.type']
      ? [{ ...one, platform: platform as Platform }]
      : [],
  );
}

export function readConfig(document: unknown, host: string): { platform: Platform; config: ImageConfig } {
  const { config, created, os, architecture, variant } = parse(configSchema, document, 'configuration', host);
  return {
    platform: { os: os ?? 'linux', architecture: architecture ?? 'amd64', ...(variant ? { variant } : {}) },
    config: {
      env: config?.Env ?? [],
      entrypoint: config?.Entrypoint ?? [],
      command: config?.Cmd ?? [],
      user: config?.User ?? '',
      workingDir: config?.WorkingDir ?? '',
      labels: config?.Labels ?? {},
      exposedPorts: Object.keys(config?.ExposedPorts ?? {}),
      ...(created ? { createdAt: created } : {}),
    },
  };
}

function parse<T extends z.ZodType>(schema: T, document: unknown, what: string, host: string): z.output<T> {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') || 'the document';
  throw new RegistryError('corrupt', host, `${host} sent a ${what} that makes no sense at ${where}`);
}
