/** Copies the blobs of an image from one registry to another, streaming, with limits and a way to give up. */

import { fewAtOnce } from '../concurrency/few-at-once.ts';
import { parseImageManifest } from './entrypoint.ts';
import type { Descriptor, Manifest, RegistryClient } from './model.ts';

/** More than may be copied, or than can be copied in the time there is. What was copied stays and is not copied again. */
export class CopyTooLargeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CopyTooLargeError';
  }
}

/** Somebody has lost interest in the copy. */
export class CopyCancelledError extends Error {
  constructor() {
    super('the copy was cancelled');
    this.name = 'CopyCancelledError';
  }
}

export interface CopyLimits {
  /** Compressed layers together. */
  limitBytes: number;
  /** Milliseconds left; no blob is begun or continued below `reserveMs`. */
  remainingMs(): number;
  reserveMs: number;
  /** Asked before each blob. */
  cancelled(): Promise<boolean>;
}

interface Side {
  client: RegistryClient;
  repository: string;
}

const atOnce = 3;
const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

/** Layers and, with `withConfig`, the configuration of `manifest`; those that the target has are left out. Answers bytes copied. */
export async function copyLayers(
  from: Side & { manifest: Manifest },
  to: Side,
  limits: CopyLimits,
  withConfig = false,
): Promise<number> {
  const { config, layers } = parseImageManifest(from.manifest);
  // Layers with URLs of their own (old Windows bases) are in no registry.
  const wanted = [...layers.filter((layer) => !layer.urls?.length), ...(withConfig ? [config] : [])];
  const blobs = [...new Map(wanted.map((blob) => [blob.digest, blob])).values()];
  const total = blobs.reduce((sum, blob) => sum + blob.size, 0);
  if (total > limits.limitBytes)
    throw new CopyTooLargeError(
      `The layers of the image are ${gib(total)} in total. Slipway copies at most ${gib(limits.limitBytes)} at launch.`,
    );
  let copied = 0;
  await fewAtOnce(blobs, atOnce, async (blob) => {
    if (await limits.cancelled()) throw new CopyCancelledError();
    if (await copyBlob(from, to, blob, limits)) copied += blob.size;
  });
  return copied;
}

async function copyBlob(from: Side, to: Side, blob: Descriptor, limits: CopyLimits): Promise<boolean> {
  if ((await to.client.hasBlob(to.repository, blob.digest)) !== undefined) return false;
  const timeLeft = limits.remainingMs() - limits.reserveMs;
  if (timeLeft <= 0)
    throw new CopyTooLargeError('Slipway could not copy the image within the time limit of a launch.');
  const found = await from.client.getBlob(from.repository, blob.digest);
  const timer = setTimeout(
    () =>
      found.stream.destroy(
        new CopyTooLargeError('Slipway could not copy the image within the time limit of a launch.'),
      ),
    timeLeft,
  );
  try {
    await to.client.putBlob(to.repository, blob.digest, found);
    return true;
  } catch (error) {
    // The client reports a broken stream in its own words; the reason is the stream's.
    const { errored } = found.stream;
    if (errored instanceof CopyTooLargeError) throw errored;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
