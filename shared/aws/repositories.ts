/** Repositories of the deployment's own ECR: one must exist before anything is pushed to it. */
import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  ECRClient,
  RepositoryAlreadyExistsException,
} from '@aws-sdk/client-ecr';

export interface Repositories {
  /** Makes the repository where it is missing. Tags can be moved: an image's next version keeps its name. */
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
        if (!(error instanceof RepositoryAlreadyExistsException)) throw error;
      }
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
