/** ECR's operations on repositories. */
import { AwsError, type Cloud, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { readEncryption } from './encryption.ts';
import { nextPage } from './pages.ts';
import type { EcrStore, Repository } from './store.ts';
import { mutabilities, type TagMutability } from './tag-mutability.ts';

const namePattern = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export const repositoryArn = (cloud: Cloud, name: string) =>
  `arn:aws:ecr:${cloud.region}:${cloud.accountId}:repository/${name}`;

/** Throws as AWS does for a repository that doesn't exist. */
export function requireRepository(cloud: Cloud, store: EcrStore, name: string): Repository {
  const repository = store.repository(name);
  if (!repository)
    throw new AwsError(
      'RepositoryNotFoundException',
      `The repository with name '${name}' does not exist in the registry with id '${cloud.accountId}'`,
    );
  return repository;
}

/** Throws `InvalidParameterException` for a name that ECR wouldn't take. */
export function checkRepositoryName(name: string): string {
  if (name.length < 2 || name.length > 256 || !namePattern.test(name))
    throw new AwsError(
      'InvalidParameterException',
      `Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '${namePattern.source.slice(1, -1)}'', 2 to 256 characters`,
    );
  return name;
}

export function repositoryOperations(cloud: Cloud, store: EcrStore) {
  const describe = (repository: Repository) => ({
    repositoryArn: repositoryArn(cloud, repository.name),
    registryId: cloud.accountId,
    repositoryName: repository.name,
    repositoryUri: `${cloud.registryHost}/${repository.name}`,
    createdAt: repository.createdAt / 1000,
    imageTagMutability: repository.mutability.setting,
    ...(repository.mutability.exclusions.length > 0 && {
      imageTagMutabilityExclusionFilters: repository.mutability.exclusions.map((filter) => ({
        filterType: 'WILDCARD',
        filter,
      })),
    }),
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: repository.encryption,
  });

  return {
    CreateRepository(call: JsonCall) {
      const input = new RequestMembers(call.input, 'InvalidParameterException');
      const name = checkRepositoryName(input.string('repositoryName'));
      call.authorize('ecr:CreateRepository', repositoryArn(cloud, name));
      const encryption = input.structure('encryptionConfiguration');
      const tags = readTags(call.input.tags);
      if (tags.length > 0) call.authorize('ecr:TagResource', repositoryArn(cloud, name));
      if (store.repository(name))
        throw new AwsError(
          'RepositoryAlreadyExistsException',
          `The repository with name '${name}' already exists in the registry with id '${cloud.accountId}'`,
        );
      const repository = {
        name,
        createdAt: cloud.now().getTime(),
        mutability: readMutability(
          call.input.imageTagMutability,
          call.input.imageTagMutabilityExclusionFilters,
        ),
        tags,
        encryption: readEncryption(
          encryption?.optionalString('encryptionType'),
          encryption?.optionalString('kmsKey'),
        ),
      };
      store.createRepository(repository);
      return { repository: describe(repository) };
    },

    DescribeRepositories(call: JsonCall) {
      const input = new RequestMembers(call.input, 'InvalidParameterException');
      const names = input.strings('repositoryNames', 100);
      for (const name of names) call.authorize('ecr:DescribeRepositories', repositoryArn(cloud, name));
      if (names.length > 0)
        return { repositories: names.map((name) => describe(requireRepository(cloud, store, name))) };
      call.authorize('ecr:DescribeRepositories', repositoryArn(cloud, '*'));
      const { items, nextToken } = nextPage(store.repositories(), input, 100, 1000);
      return { repositories: items.map(describe), ...(nextToken && { nextToken }) };
    },

    DeleteRepository(call: JsonCall) {
      const input = new RequestMembers(call.input, 'InvalidParameterException');
      const name = input.string('repositoryName');
      call.authorize('ecr:DeleteRepository', repositoryArn(cloud, name));
      const repository = requireRepository(cloud, store, name);
      if (!input.boolean('force', false) && store.images(name).length > 0)
        throw new AwsError(
          'RepositoryNotEmptyException',
          `The repository with name '${name}' in registry with id '${cloud.accountId}' cannot be deleted because it still contains images`,
        );
      store.deleteRepository(name);
      return { repository: describe(repository) };
    },
  };
}

/** Reads the mutability setting in the API's form or the template's. Throws `InvalidParameterException`. */
export function readMutability(setting: unknown, filters: unknown): TagMutability {
  const known = mutabilities.find((one) => one === (setting ?? 'MUTABLE'));
  if (!known)
    throw new AwsError(
      'InvalidParameterException',
      `imageTagMutability must be one of ${mutabilities.join(', ')}`,
    );
  const exclusions = ((filters ?? []) as Record<string, string>[]).map((one) => {
    const filter = one.filter ?? one.ImageTagMutabilityExclusionFilterValue ?? '';
    if (!/^[0-9a-zA-Z._*-]{1,128}$/.test(filter) || filter.split('*').length > 3)
      throw new AwsError(
        'InvalidParameterException',
        `'${filter}' is not a valid tag mutability exclusion filter`,
      );
    return filter;
  });
  if (exclusions.length > 5)
    throw new AwsError(
      'InvalidParameterException',
      'At most 5 image tag mutability exclusion filters are allowed',
    );
  if (known.endsWith('_WITH_EXCLUSION') !== exclusions.length > 0)
    throw new AwsError(
      'InvalidParameterException',
      'Exclusion filters require IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION, and these require a filter',
    );
  return { setting: known, exclusions };
}

function readTags(tags: unknown): Repository['tags'] {
  const list = (tags ?? []) as Repository['tags'];
  if (!Array.isArray(list) || list.some((tag) => typeof tag?.Key !== 'string'))
    throw new AwsError('InvalidParameterException', 'tags must be a list of objects with Key and Value');
  if (list.length > 50) throw new AwsError('TooManyTagsException', 'A repository can have at most 50 tags');
  return list.map((tag) => ({ Key: tag.Key, Value: String(tag.Value ?? '') }));
}
