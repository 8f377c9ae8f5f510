/** Small images pushed into a registry by plain HTTP requests, so that tests know every byte of them. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export interface Pushed {
  digest: string;
  mediaType: string;
  body: string;
}

const sha256 = (bytes: string | Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

export class SmallImages {
  readonly #base: string;
  readonly #authorization: Record<string, string>;
  constructor(host: string, credentials?: { username: string; password: string }) {
    this.#base = `http://${host}/v2`;
    const { username, password } = credentials ?? {};
    const encoded = Buffer.from(`${username}:${password}`).toString('base64');
    this.#authorization = credentials ? { authorization: `Basic ${encoded}` } : {};
  }

  async #send(url: string, init: RequestInit, statuses: number[]): Promise<Response> {
    const answer = await fetch(url, {
      ...init,
      headers: { ...this.#authorization, ...(init.headers as Record<string, string>) },
    });
    if (!statuses.includes(answer.status))
      throw new Error(`${init.method} ${url}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async blob(repository: string, bytes: Buffer): Promise<{ digest: string; size: number }> {
    const begun = await this.#send(`${this.#base}/${repository}/blobs/uploads/`, { method: 'POST' }, [202]);
    const digest = sha256(bytes);
    const place = new URL(begun.headers.get('location') ?? '', this.#base);
    place.searchParams.set('digest', digest);
    await this.#send(String(place), { method: 'PUT', body: new Uint8Array(bytes) }, [201]);
    return { digest, size: bytes.length };
  }

  async manifest(repository: string, reference: string, mediaType: string, body: string): Promise<Pushed> {
    await this.#send(
      `${this.#base}/${repository}/manifests/${reference}`,
      { method: 'PUT', headers: { 'content-type': mediaType }, body },
      [201],
    );
    return { digest: sha256(body), mediaType, body };
  }

  /** One image of a few layers that nobody has; its manifest has spaces and an annotation that a rewrite would lose. */
  image(
    repository: string,
    tag: string,
    content: string,
    architecture = 'amd64',
    layers = 2,
  ): Promise<Pushed> {
    const made = Array.from({ length: layers }, (_, i) => () => gzipSync(`${content} ${i} ${architecture}`));
    return this.imageOf(repository, tag, made, content, architecture);
  }

  /** Layers are made one after the other, since they may be large. */
  async imageOf(
    repository: string,
    tag: string,
    layers: (() => Buffer)[],
    content = 'content',
    architecture = 'amd64',
  ): Promise<Pushed> {
    const described = [];
    for (const layer of layers)
      described.push({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        ...(await this.blob(repository, layer())),
      });
    const config = { os: 'linux', architecture, config: {}, rootfs: { type: 'layers', diff_ids: [] } };
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        ...(await this.blob(repository, Buffer.from(JSON.stringify({ ...config, content })))),
      },
      layers: described,
      annotations: { 'org.example.content': content },
    };
    return this.manifest(repository, tag, manifestType, JSON.stringify(manifest, null, 3));
  }

  /** An index of two platforms and of an attestation, which is no platform's. */
  async index(repository: string, tag: string, content: string): Promise<{ index: Pushed; arm: Pushed }> {
    const amd = await this.image(repository, `${tag}-amd`, content, 'amd64');
    const arm = await this.image(repository, `${tag}-arm`, content, 'arm64');
    const attestation = await this.image(repository, `${tag}-att`, `attestation of ${content}`, 'unknown', 1);
    const entry = ({ digest, mediaType, body }: Pushed, os: string, architecture: string) => ({
      mediaType,
      digest,
      size: Buffer.byteLength(body),
      platform: { os, architecture },
    });
    const body = JSON.stringify(
      {
        schemaVersion: 2,
        mediaType: indexType,
        manifests: [
          entry(amd, 'linux', 'amd64'),
          entry(arm, 'linux', 'arm64'),
          entry(attestation, 'unknown', 'unknown'),
        ],
      },
      null,
      1,
    );
    return { index: await this.manifest(repository, tag, indexType, body), arm };
  }

  /** What is under a tag or digest, byte by byte; nothing where there is nothing. */
  async read(repository: string, reference: string): Promise<{ digest: string; body: string } | undefined> {
    const answer = await this.#send(
      `${this.#base}/${repository}/manifests/${reference}`,
      {
        method: 'GET',
        headers: {
          accept: `${indexType}, ${manifestType}, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json`,
        },
      },
      [200, 404],
    );
    const body = await answer.text();
    return answer.status === 404 ? undefined : { digest: sha256(body), body };
  }
}
