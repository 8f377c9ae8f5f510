/** A registry in which every name is an image: one file, no shell. It writes down what it is asked for. */
import { gzipSync } from 'node:zlib';
import { tarOf } from '../builder/archive/tar.ts';
import { json, sha256, startServer, type TestServer } from '../shared/registry/servers.ts';
import { unique } from './client.ts';

export interface AnyImages extends TestServer {
  /** Manifest of a new image; every kind of a name has a digest of its own. */
  manifestOf(name: string, kind: string): string;
}

const layer = tarOf({ path: 'x', content: 'x' });
const compressed = gzipSync(layer);
const config = Buffer.from(
  JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs: { type: 'layers', diff_ids: [sha256(layer)] },
  }),
);
const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

export async function startAnyImages(): Promise<AnyImages> {
  /** New ones every time: what an engine has under a digest it asks nobody for. */
  const run = unique('run');
  const manifests = new Map<string, string>();
  const blobs = new Map([compressed, config].map((bytes) => [sha256(bytes), bytes]));
  const manifestOf = (name: string, kind: string) => {
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        digest: sha256(config),
        size: config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          digest: sha256(compressed),
          size: compressed.length,
        },
      ],
      annotations: { name, kind, run },
    });
    manifests.set(sha256(body), body);
    return body;
  };
  const server = await startServer(({ url }) => {
    const [, name = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
    const blob = blobs.get(reference);
    if (blob) return { status: 200, headers: { 'content-length': String(blob.length) }, body: blob };
    if (kind !== 'manifests') return json(200, {});
    const body = manifests.get(reference) ?? manifestOf(name, 'tagged');
    const headers = {
      'content-type': manifestType,
      'content-length': String(Buffer.byteLength(body)),
      'docker-content-digest': sha256(body),
    };
    return { status: 200, headers, body };
  });
  return { ...server, manifestOf };
}
