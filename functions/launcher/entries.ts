/** What the timeline says while a launch is prepared. */
import type { Entry } from '../../shared/experiment/change.ts';
import type { FoundImage } from './image.ts';

export const resolvedEntry = ({ image, manifest }: FoundImage, now: Date): Entry => ({
  time: now.toISOString(),
  code: 'image-resolved',
  message: `The image is ${image.uri} at ${image.digest}.`,
  detail: { ...image, platform: manifest.platform, sizeBytes: manifest.sizeBytes },
});

export const cacheRefusedEntry = ({ location, cacheRefused }: FoundImage, now: Date): Entry => ({
  time: now.toISOString(),
  code: 'cache-refused',
  message: `Hosts pull the image from ${location.host} itself, because the cache refused it: ${cacheRefused}`,
});

export const copyingEntry = (sizeBytes: number, target: string, now: Date): Entry => ({
  time: now.toISOString(),
  code: 'image-copying',
  message: `Copying the layers to ${target} first.`,
  detail: { sizeBytes, target },
});

export const readyEntry = (image: string, clearEntrypoint: boolean, now: Date): Entry => ({
  time: now.toISOString(),
  code: 'image-ready',
  message: clearEntrypoint
    ? 'Hosts run a copy of the image with its ENTRYPOINT cleared.'
    : 'Hosts pull a copy of the image.',
  detail: { image },
});

export const scanningEntry = (now: Date): Entry => ({
  time: now.toISOString(),
  code: 'image-scanning',
  message: 'Scanning the image for vulnerabilities, because it was never scanned.',
});
