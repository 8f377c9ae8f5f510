/** Repositories of the deployment's own ECR: one must exist before anything is pushed to it. */
import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  ECRClient,
  PutLifecyclePolicyCommand,
  RepositoryAlreadyExistsException,
} from '@aws-sdk/client-ecr';
import { lifecyclePolicy } from '../model/layer-cache.ts';

export interface Repositories {
  /**
   * Makes the repository where it is missing. Tags can be moved: an image's next version keeps its name. Only a new one
   * gets the lifecycle policy: its operator may have given it another since.
   */
  ensure(name: string, organisation: string): Promise<void>;
  /** Takes a tag away, and the image with its last one. Succeeds where it is gone already. */
  removeTag(name: string, tag: string): Promise<void>;
}

export function createRepositories(client: ECRClient = new ECRClient({})): Repositories {
  return {
    async ensure(name, organisation) {
      try {
        await client.send(
          new CreateRepositoryCommand({
            repositoryName: name,
            imageTagMutability: 'MUTABLE',
            tags: [{ Key: 'slipway:organisation', Value: organisation }],
          }),
        );
      } catch (error) {
        if (error instanceof RepositoryAlreadyExistsException) return;
        throw error;
      }
      await client.send(
        new PutLifecyclePolicyCommand({ repositoryName: name, lifecyclePolicyText: lifecyclePolicy }),
      );
    },
    async removeTag(name, tag) {
      const { failures } = await client.send(
        new BatchDeleteImageCommand({ repositoryName: name, imageIds: [{ imageTag: tag }] }),
      );
      const failure = failures?.find(({ failureCode }) => failureCode !== 'ImageNotFound');
      if (failure)
        throw new Error(`ECR keeps ${name}:${tag}: ${failure.failureReason ?? failure.failureCode}`);
    },
  };
}
