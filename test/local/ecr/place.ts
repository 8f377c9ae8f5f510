/** A cloud with ECR, and raw requests to its registry. */
import { createHash } from 'node:crypto';
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { createEcr, type EcrOptions } from '../../../local/ecr/ecr.ts';
import type { DeclaredResource } from '../../../local/platform.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../cloud-with-endpoint.ts';

export const acmeRole = 'arn:aws:iam::000000000000:role/acme-builder';
export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';

export const sha256 = (bytes: string | Buffer) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function ecrPlace(
  cloud?: CloudWithEndpoint,
  options: EcrOptions = {},
  declared: Pick<DeclaredResource, 'type' | 'properties'>[] = [],
) {
  const place = cloud ?? (await createCloudWithEndpoint());
  const ecr = createEcr(place, options);
  place.serve(ecr);
  await ecr.deploy?.(declared as DeclaredResource[]);
  const client = new ECRClient({ ...place.client(acmeRole), maxAttempts: 1 });
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  const token = authorizationData?.[0]?.authorizationToken ?? '';

  const request = (
    method: string,
    path: string,
    body?: string | Buffer,
    headers: Record<string, string> = {},
  ) =>
    fetch(new URL(path, `http://${place.registryHost}`), {
      method,
      headers: { authorization: `Basic ${token}`, ...headers },
      ...(body !== undefined && { body }),
    });
  const pushBlob = async (repository: string, content: string | Buffer) => {
    const started = await request('POST', `/v2/${repository}/blobs/uploads/`);
    const digest = sha256(content);
    const answer = await request('PUT', `${started.headers.get('location')}?digest=${digest}`, content);
    if (answer.status !== 201) throw new Error(await answer.text());
    return digest;
  };
  const manifestOf = async (repository: string, content: string, more: object = {}) => {
    const [config, layer] = [await pushBlob(repository, '{}'), await pushBlob(repository, content)];
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2 },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: content.length }],
      ...more,
    });
  };
  const putManifest = (repository: string, reference: string, manifest: string, type = manifestType) =>
    request('PUT', `/v2/${repository}/manifests/${reference}`, manifest, { 'content-type': type });

  return {
    cloud: place,
    ecr,
    client,
    token,
    request,
    pushBlob,
    manifestOf,
    putManifest,
    create: (repositoryName: string, more: object = {}) =>
      client.send(new CreateRepositoryCommand({ repositoryName, ...more })),
    /** Pushes an image of one layer; returns its digest. */
    async pushImage(repository: string, tag: string, content: string) {
      const manifest = await manifestOf(repository, content);
      const answer = await putManifest(repository, tag, manifest);
      if (answer.status !== 201) throw new Error(await answer.text());
      return sha256(manifest);
    },
  };
}

/** The code of a registry error. */
export const codeOf = async (answer: Response) =>
  `${answer.status} ${((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code}`;
