/** The packages that an image's own package manager says are installed, read from its layers. */
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { tarEntries } from './tar.ts';

export interface InstalledPackage {
  /** Of the source package, since advisories are about sources. */
  name: string;
  version: string;
}

export interface Distribution {
  /** `ID` and `VERSION_ID` of os-release. */
  id: string;
  version: string;
  packages: InstalledPackage[];
}

export interface Layer {
  mediaType: string;
  bytes: Readable;
}

const wanted =
  /^(?:(?:usr\/lib|etc)\/os-release|var\/lib\/dpkg\/status(?:\.d\/[^/]+)?|(?:usr\/)?lib\/apk\/db\/installed)$/;
/** Of all packages there ever were in a distribution: a few tens of MiB. */
const fileLimitBytes = 128 * 1024 * 1024;

/** `layers` with the lowest first. Undefined for what has no known distribution or no package manager. */
export async function readDistribution(layers: Iterable<Layer>): Promise<Distribution | undefined> {
  const files = new Map<string, string>();
  for (const layer of layers) await applyLayer(files, layer);
  const release = readRelease(files.get('etc/os-release') ?? files.get('usr/lib/os-release') ?? '');
  const apk = files.get('lib/apk/db/installed') ?? files.get('usr/lib/apk/db/installed');
  const dpkg = [...files].filter(([path]) => path.startsWith('var/lib/dpkg/')).map(([, text]) => text);
  const packages = apk === undefined ? dpkg.flatMap(readDpkg) : readApk(apk);
  const isKnown = release.ID !== undefined && release.VERSION_ID !== undefined;
  if (!isKnown || (apk === undefined && dpkg.length === 0)) return undefined;
  return { id: release.ID ?? '', version: release.VERSION_ID ?? '', packages: distinct(packages) };
}

/** What the layer adds, replaces and (by whiteouts) takes away of the files that matter here. */
async function applyLayer(files: Map<string, string>, { mediaType, bytes }: Layer): Promise<void> {
  const added = new Map<string, string>();
  const removed: string[] = [];
  try {
    for await (const { name, isFile, sizeBytes, read } of tarEntries(decompressed(mediaType, bytes))) {
      const slash = name.lastIndexOf('/') + 1;
      const base = name.slice(slash);
      // An opaque whiteout hides all that lower layers have in its folder, any other one path.
      if (base === '.wh..wh..opq') removed.push(name.slice(0, slash));
      else if (base.startsWith('.wh.')) removed.push(name.slice(0, slash) + base.slice('.wh.'.length));
      else if (wanted.test(name)) {
        removed.push(name);
        if (isFile && sizeBytes <= fileLimitBytes) added.set(name, (await read()).toString('utf8'));
      }
    }
  } finally {
    bytes.destroy();
  }
  for (const path of files.keys())
    if (removed.some((one) => path === one || path.startsWith(one.endsWith('/') ? one : `${one}/`)))
      files.delete(path);
  for (const [path, content] of added) files.set(path, content);
}

function decompressed(mediaType: string, bytes: Readable): AsyncIterable<Buffer> {
  const unpacked = /zstd$/.test(mediaType)
    ? createZstdDecompress()
    : /gzip$/.test(mediaType)
      ? createGunzip()
      : undefined;
  if (!unpacked) return bytes;
  bytes.once('error', (error) => unpacked.destroy(error));
  return bytes.pipe(unpacked);
}

/** Shell assignments, quoted or not. */
function readRelease(text: string): Record<string, string> {
  const assignments = [...text.matchAll(/^([A-Z_]+)=(["']?)(.*?)\2\s*$/gm)];
  return Object.fromEntries(assignments.map(([, name = '', , value = '']) => [name, value]));
}

function readDpkg(text: string): InstalledPackage[] {
  return paragraphs(text, /^([A-Za-z-]+): *(.*)$/gm).flatMap((fields) => {
    const { Package, Version, Status, Source } = fields;
    if (!Package || !Version) return [];
    // Distroless images have a file for each package, which says nothing of its status.
    if (Status !== undefined && !Status.endsWith(' installed')) return [];
    const [, name = Package, version = Version] = /^(\S+)(?: \((.+)\))?$/.exec(Source ?? '') ?? [];
    return [{ name, version }];
  });
}

function readApk(text: string): InstalledPackage[] {
  return paragraphs(text, /^([A-Za-z]):(.*)$/gm).flatMap(({ P, V, o }) =>
    P && V ? [{ name: o || P, version: V }] : [],
  );
}

const paragraphs = (text: string, field: RegExp): Record<string, string>[] =>
  text
    .split(/\n{2,}/)
    .map((one) =>
      Object.fromEntries([...one.matchAll(field)].map(([, name = '', value = '']) => [name, value])),
    );

/** Several packages are often made of one source. */
const distinct = (packages: InstalledPackage[]): InstalledPackage[] => [
  ...new Map(packages.map((one) => [`${one.name} ${one.version}`, one])).values(),
];
