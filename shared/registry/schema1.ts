/** Docker's first manifest format, which old registries still serve: no sizes, history newest first, signed in place. */
import * as z from 'zod';
import { isDigest } from './digest.ts';
import { parseJson } from './manifests.ts';
import { RegistryError } from './model.ts';

const schema = z.object({
  architecture: z.string().nullish(),
  fsLayers: z.array(z.object({ blobSum: z.string().refine(isDigest) })).max(1000),
  history: z.array(z.object({ v1Compatibility: z.string() })).nullish(),
});

/** Layers oldest first, each once, and the newest history entry, which holds the configuration. */
export function readSchema1(document: unknown, host: string) {
  const result = schema.safeParse(document);
  if (!result.success) throw new RegistryError('corrupt', host, `${host} sent an invalid schema 1 manifest`);
  const { architecture, fsLayers, history } = result.data;
  const layers = [...new Set(fsLayers.map((layer) => layer.blobSum).reverse())];
  return { architecture, layers, config: configOf(history?.[0]?.v1Compatibility) };
}

/** An empty object for what is no JSON. */
function configOf(text: string | undefined): unknown {
  try {
    return parseJson(Buffer.from(text ?? '{}'));
  } catch {
    // The configuration is a convenience here: layers and digest hold without it.
    return {};
  }
}

/** What a signed manifest's digest is over: the bytes as they were before signatures were put in. */
export function unsignedBytes(body: Buffer, document: { signatures?: unknown }): Buffer {
  const signature = Array.isArray(document.signatures) ? document.signatures[0] : undefined;
  if (typeof signature?.protected !== 'string') return body;
  const said = z
    .object({ formatLength: z.int().nonnegative(), formatTail: z.string() })
    .safeParse(configOf(Buffer.from(signature.protected, 'base64url').toString()));
  // Where the signature makes no sense, the bytes are just bytes, and their digest tells.
  if (!said.success) return body;
  const { formatLength, formatTail } = said.data;
  return Buffer.concat([body.subarray(0, formatLength), Buffer.from(formatTail, 'base64url')]);
}
