/**
 * Elastic Container Registry: ECR's JSON API and, on `cloud.registryHost`, the registry itself. Repositories, images and
 * tags are in the database, blobs under `<home>/registry`.
 */
import type { Server } from 'node:http';
import { join } from 'node:path';
import {
  AwsError,
  type Cloud,
  type DeclaredResource,
  type JsonCall,
  type Principal,
  type Service,
} from '../platform.ts';
import { generatedName } from '../template/names.ts';
import { createAccountSettings } from './account-settings.ts';
import { createBlobFiles } from './blob-files.ts';
import { readEncryption } from './encryption.ts';
import { imageOperations } from './images.ts';
import { lifecycleOperations } from './lifecycle/operations.ts';
import { createPasswords } from './password.ts';
import { createPullThroughCache } from './pull-through/cache.ts';
import { createRegistryServer } from './registry/server.ts';
import { checkRepositoryName, readMutability, repositoryArn, repositoryOperations } from './repositories.ts';
import { createScans } from './scan/scans.ts';
import { createEcrStore } from './store.ts';

const tokenHours = 12;
/** Blobs without an image are kept this long, since the image may still be on its way. */
const unusedBlobMinutes = 60;
/** Their bytes go before, with the last part that came. */
const forgottenUploadHours = 48;
const garbageEveryMs = 6 * 3_600_000;

export interface Ecr extends Service {
  /** A password for the registry (user `AWS`), valid for 12 hours, that carries this principal's rights. */
  passwordFor(principal: Principal): string;
  /**
   * Whether `principal` may pull this image of this registry, and it is there: throws `AccessDeniedException`,
   * `RepositoryNotFoundException` or `ImageNotFoundException`. `reference` is a tag or a digest.
   */
  checkPull(principal: Principal, repository: string, reference: string): void;
}

export interface EcrOptions {
  /** Where upstream registries of cache rules really are, by host; the others are at `https://<host>`. */
  upstreams?: ReadonlyMap<string, string>;
  /** Folder with advisories in the OSV format, which scans compare with. */
  advisories?: string | undefined;
}

export function createEcr(cloud: Cloud, { upstreams = new Map(), advisories }: EcrOptions = {}): Ecr {
  const store = createEcrStore(cloud.db);
  const files = createBlobFiles(join(cloud.home, 'registry'));
  const passwords = createPasswords(cloud.db);
  const cache = createPullThroughCache({ cloud, store, files, upstreams });
  const scans = createScans(cloud, store, { files, advisories });
  const settings = createAccountSettings(cloud.db);
  const server = createRegistryServer({ cloud, store, files, cache, settings }, passwords);
  const issue = (principal: Principal) => {
    const expiresAt = new Date(cloud.now().getTime() + tokenHours * 3_600_000);
    return { password: passwords.issue(principal, expiresAt), expiresAt };
  };

  let stopCollecting = () => {};

  const collectGarbage = () => {
    cache.expire();
    const before = new Date(cloud.now().getTime() - unusedBlobMinutes * 60_000);
    store.unlinkUnused(before.getTime());
    store.forgetUploads(cloud.now().getTime() - forgottenUploadHours * 3_600_000);
    const removed = files.sweep(before, store.isBlobLinked);
    if (removed > 0) cloud.log('ecr', `removed blobs that no image uses: ${removed}`);
  };

  return {
    signingName: 'ecr',
    resourceTypes: {
      'AWS::ECR::Repository': {
        physicalId: ({ stack, logicalId, properties }) =>
          properties?.RepositoryName ?? generatedName({ stack, logicalId }, 256).toLowerCase(),
        attributes: ({ physicalId }) => ({
          Arn: repositoryArn(cloud, physicalId),
          RepositoryUri: `${cloud.registryHost}/${physicalId}`,
        }),
      },
      'AWS::ECR::PullThroughCacheRule': {
        physicalId: ({ properties }) => properties?.EcrRepositoryPrefix ?? '',
      },
      'AWS::ECR::RepositoryCreationTemplate': {
        physicalId: ({ properties }) => properties?.Prefix ?? '',
      },
    },
    operations: {
      ...repositoryOperations(cloud, store),
      ...imageOperations(cloud, store),
      ...lifecycleOperations(cloud, store),
      ...scans.operations,
      ...settings.operations,
      GetAuthorizationToken(call: JsonCall) {
        call.authorize('ecr:GetAuthorizationToken', '*');
        const { password, expiresAt } = issue(call.principal);
        return {
          authorizationData: [
            {
              authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'),
              expiresAt: expiresAt.getTime() / 1000,
              proxyEndpoint: `http://${cloud.registryHost}`,
            },
          ],
        };
      },
    },
    passwordFor: (principal) => issue(principal).password,
    checkPull(principal, repository, reference) {
      for (const action of ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'])
        cloud.authorize(principal, action, repositoryArn(cloud, repository));
      const digest = reference.includes(':') ? reference : store.digestOfTag(repository, reference);
      if (!store.repository(repository))
        throw new AwsError(
          'RepositoryNotFoundException',
          `The repository with name '${repository}' does not exist in the registry with id '${cloud.accountId}'`,
        );
      if (!digest || !store.image(repository, digest))
        throw new AwsError('ImageNotFoundException', 'Requested image not found');
    },
    async deploy(resources: DeclaredResource[]) {
      const ofType = (type: string) => resources.filter((one) => one.type === `AWS::ECR::${type}`);
      cache.deploy(ofType('PullThroughCacheRule'), ofType('RepositoryCreationTemplate'));
      for (const { physicalId, properties } of ofType('Repository')) {
        const mutability = readMutability(
          properties?.ImageTagMutability,
          properties?.ImageTagMutabilityExclusionFilters,
        );
        const tags = (properties?.Tags ?? []) as { Key: string; Value: string }[];
        if (store.repository(checkRepositoryName(physicalId)))
          store.updateRepository(physicalId, mutability, tags);
        else
          store.createRepository({
            name: physicalId,
            createdAt: cloud.now().getTime(),
            mutability,
            tags,
            encryption: readEncryption(
              properties?.EncryptionConfiguration?.EncryptionType,
              properties?.EncryptionConfiguration?.KmsKey,
            ),
          });
      }
      collectGarbage();
      if (!server.listening) await listen(server, cloud.registryHost);
    },
    async start() {
      scans.resume();
      stopCollecting = cloud.every(garbageEveryMs, 'unused blobs', collectGarbage);
    },
    async stop() {
      stopCollecting();
      if (server.listening) {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      }
      await scans.idle();
    },
  };
}

function listen(server: Server, host: string): Promise<void> {
  const { hostname, port } = new URL(`http://${host}`);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(port), hostname, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
