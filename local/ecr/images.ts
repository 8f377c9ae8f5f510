/** ECR's operations on images, and the rules for storing one, which its registry protocol shares. */
import { AwsError, type Cloud, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { ManifestInvalidError, parseManifest } from './manifest.ts';
import { nextPage } from './pages.ts';
import { repositoryArn, requireRepository } from './repositories.ts';
import type { EcrStore, StoredImage } from './store.ts';
import { isMovable } from './tag-mutability.ts';

export const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

interface ImageId {
  imageDigest?: string;
  imageTag?: string;
}

/**
 * Stores a manifest under its digest and, where given, a tag. Throws `LayersNotFoundException`,
 * `ReferencedImagesNotFoundException`, `ImageTagAlreadyExistsException` (immutable tags) and
 * `InvalidParameterException` (no valid manifest), as PutImage does.
 */
export function putImage(
  cloud: Cloud,
  store: EcrStore,
  repositoryName: string,
  bytes: Buffer,
  mediaType: string | undefined,
  tag: string | undefined,
): { digest: string; subject?: string } {
  const repository = requireRepository(cloud, store, repositoryName);
  const manifest = parse(bytes, mediaType);
  const missing = manifest.blobs.filter((digest) => store.blobSize(repositoryName, digest) === undefined);
  if (missing.length > 0)
    throw new AwsError(
      'LayersNotFoundException',
      `Layers with digests '${missing.join(', ')}' required for pushing image into repository with name '${repositoryName}' in the registry with id '${cloud.accountId}' do not exist`,
      400,
      { missing },
    );
  const absent = manifest.manifests.filter((digest) => store.image(repositoryName, digest) === undefined);
  if (absent.length > 0)
    throw new AwsError(
      'ReferencedImagesNotFoundException',
      `Images with digests '${absent.join(', ')}' required for pushing image into repository with name '${repositoryName}' in the registry with id '${cloud.accountId}' do not exist`,
      400,
      { missing: absent },
    );
  const current = tag === undefined ? undefined : store.digestOfTag(repositoryName, tag);
  if (
    tag !== undefined &&
    current !== undefined &&
    current !== manifest.digest &&
    !isMovable(repository.mutability, tag)
  )
    throw new AwsError(
      'ImageTagAlreadyExistsException',
      `The image tag '${tag}' already exists in the '${repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
    );
  store.putImage(repositoryName, manifest, bytes, tag, cloud.now().getTime());
  return { digest: manifest.digest, ...(manifest.subject && { subject: manifest.subject }) };
}

function parse(bytes: Buffer, mediaType: string | undefined) {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (!(error instanceof ManifestInvalidError)) throw error;
    throw new AwsError('InvalidParameterException', `Invalid parameter at 'imageManifest': ${error.message}`);
  }
}

export function imageOperations(cloud: Cloud, store: EcrStore) {
  const read = (call: JsonCall, action: string) => {
    const input = new RequestMembers(call.input, 'InvalidParameterException');
    const name = input.string('repositoryName', { max: 256 });
    call.authorize(`ecr:${action}`, repositoryArn(cloud, name));
    return { input, repository: requireRepository(cloud, store, name).name };
  };
  const readIds = (input: RequestMembers, maxCount: number): ImageId[] =>
    input.structures('imageIds', maxCount).map((one) => {
      const imageDigest = one.optionalString('imageDigest');
      const imageTag = one.optionalString('imageTag', { max: 300 });
      return { ...(imageDigest && { imageDigest }), ...(imageTag && { imageTag }) };
    });
  const requireIds = (input: RequestMembers): ImageId[] => {
    const ids = readIds(input, 100);
    if (ids.length === 0)
      throw new AwsError(
        'InvalidParameterException',
        "Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must not be empty'",
      );
    return ids;
  };

  /** The image of an id, or AWS's reason why there is none. */
  const find = (
    repository: string,
    id: ImageId,
  ): StoredImage | { failureCode: string; failureReason: string } => {
    if (!id.imageDigest && !id.imageTag)
      return {
        failureCode: 'MissingDigestAndTag',
        failureReason: 'Invalid request parameters: both tag and digest cannot be null',
      };
    if (id.imageDigest && !/^sha256:[a-f0-9]{64}$/.test(id.imageDigest))
      return {
        failureCode: 'InvalidImageDigest',
        failureReason: 'Invalid request parameters: image digest should satisfy the regex',
      };
    if (id.imageTag && !tagPattern.test(id.imageTag))
      return {
        failureCode: 'InvalidImageTag',
        failureReason: 'Invalid request parameters: image tag should satisfy the regex',
      };
    const tagged = id.imageTag && store.digestOfTag(repository, id.imageTag);
    if (id.imageDigest && tagged && tagged !== id.imageDigest)
      return {
        failureCode: 'ImageTagDoesNotMatchDigest',
        failureReason: 'Requested image tag does not match the digest',
      };
    const digest = id.imageTag ? tagged : id.imageDigest;
    return (
      (digest && store.image(repository, digest)) || {
        failureCode: 'ImageNotFound',
        failureReason: 'Requested image not found',
      }
    );
  };

  const detail = (image: StoredImage) => ({
    registryId: cloud.accountId,
    repositoryName: image.repository,
    imageDigest: image.digest,
    ...(image.tags.length > 0 && { imageTags: image.tags }),
    imageSizeInBytes: image.sizeBytes,
    imagePushedAt: image.pushedAt / 1000,
    imageManifestMediaType: image.mediaType,
    ...(image.artifactType && { artifactMediaType: image.artifactType }),
  });

  return {
    PutImage(call: JsonCall) {
      const { input, repository } = read(call, 'PutImage');
      const manifest = input.string('imageManifest', { maxBytes: 4_194_304 });
      const tag = input.optionalString('imageTag', { pattern: tagPattern });
      const mediaType = input.optionalString('imageManifestMediaType');
      const before = tag === undefined ? undefined : store.digestOfTag(repository, tag);
      const { digest } = putImage(cloud, store, repository, Buffer.from(manifest), mediaType, tag);
      if (before === digest)
        throw new AwsError(
          'ImageAlreadyExistsException',
          `Image with digest '${digest}' and tag '${tag}' already exists in the repository with name '${repository}' in registry with id '${cloud.accountId}'`,
        );
      return {
        image: {
          registryId: cloud.accountId,
          repositoryName: repository,
          imageId: { imageDigest: digest, ...(tag && { imageTag: tag }) },
          imageManifest: manifest,
        },
      };
    },

    BatchGetImage(call: JsonCall) {
      const { input, repository } = read(call, 'BatchGetImage');
      const accepted = input.strings('acceptedMediaTypes');
      const images: object[] = [];
      const failures: object[] = [];
      for (const imageId of requireIds(input)) {
        const image = find(repository, imageId);
        if ('failureCode' in image) failures.push({ imageId, ...image });
        else if (accepted.length > 0 && !accepted.includes(image.mediaType))
          failures.push({
            imageId,
            failureCode: 'ImageNotFound',
            failureReason: 'Requested image not found',
          });
        else
          images.push({
            registryId: cloud.accountId,
            repositoryName: repository,
            imageId: { ...imageId, imageDigest: image.digest },
            imageManifest: image.bytes.toString('utf8'),
            imageManifestMediaType: image.mediaType,
          });
      }
      return { images, failures };
    },

    BatchDeleteImage(call: JsonCall) {
      const { input, repository } = read(call, 'BatchDeleteImage');
      const imageIds: object[] = [];
      const failures: object[] = [];
      for (const imageId of requireIds(input)) {
        const image = find(repository, imageId);
        if ('failureCode' in image) failures.push({ imageId, ...image });
        else if (
          imageId.imageTag !== undefined &&
          (imageId.imageDigest === undefined || image.tags.length > 1)
        ) {
          // By tag alone only the tag goes; the image goes with its last tag.
          store.deleteTag(repository, imageId.imageTag);
          if (image.tags.length === 1 && store.referrers(repository, 'manifest', image.digest).length === 0)
            store.deleteImage(repository, image.digest);
          imageIds.push({ imageDigest: image.digest, imageTag: imageId.imageTag });
        } else if (store.referrers(repository, 'manifest', image.digest).length > 0)
          failures.push({
            imageId,
            failureCode: 'ImageReferencedByManifestList',
            failureReason: `Requested image referenced by manifest list: [${store.referrers(repository, 'manifest', image.digest).join(', ')}]`,
          });
        else {
          store.deleteImage(repository, image.digest);
          const deleted = image.tags.map((imageTag) => ({ imageDigest: image.digest, imageTag }));
          imageIds.push(...(deleted.length > 0 ? deleted : [{ imageDigest: image.digest }]));
        }
      }
      return { imageIds, failures };
    },

    DescribeImages(call: JsonCall) {
      const { input, repository } = read(call, 'DescribeImages');
      const ids = readIds(input, 100);
      if (ids.length > 0) {
        const images = ids.map((id) => {
          const image = find(repository, id);
          if ('failureCode' in image)
            throw new AwsError(
              'ImageNotFoundException',
              `The image with imageId {imageDigest:'${id.imageDigest ?? 'null'}', imageTag:'${id.imageTag ?? 'null'}'} does not exist within the repository with name '${repository}' in the registry with id '${cloud.accountId}'`,
            );
          return image;
        });
        return { imageDetails: images.map(detail) };
      }
      const { items, nextToken } = nextPage(filtered(store.images(repository), input), input, 100, 1000);
      return { imageDetails: items.map(detail), ...(nextToken && { nextToken }) };
    },

    ListImages(call: JsonCall) {
      const { input, repository } = read(call, 'ListImages');
      const ids = filtered(store.images(repository), input).flatMap((image) =>
        image.tags.length > 0
          ? image.tags.map((imageTag) => ({ imageDigest: image.digest, imageTag }))
          : [{ imageDigest: image.digest }],
      );
      const { items, nextToken } = nextPage(ids, input, 100, 1000);
      return { imageIds: items, ...(nextToken && { nextToken }) };
    },

    BatchCheckLayerAvailability(call: JsonCall) {
      const { input, repository } = read(call, 'BatchCheckLayerAvailability');
      const layers: object[] = [];
      const failures: object[] = [];
      for (const layerDigest of input.strings('layerDigests', 100)) {
        if (!/^sha256:[a-f0-9]{64}$/.test(layerDigest)) {
          failures.push({
            layerDigest,
            failureCode: 'InvalidLayerDigest',
            failureReason: 'Invalid layer digest',
          });
          continue;
        }
        const layerSize = store.blobSize(repository, layerDigest);
        layers.push(
          layerSize === undefined
            ? { layerDigest, layerAvailability: 'UNAVAILABLE' }
            : { layerDigest, layerAvailability: 'AVAILABLE', layerSize },
        );
      }
      return { layers, failures };
    },
  };
}

function filtered(images: StoredImage[], input: RequestMembers): StoredImage[] {
  const status = input
    .structure('filter')
    ?.optionalString('tagStatus', { pattern: /^(TAGGED|UNTAGGED|ANY)$/ });
  if (status === 'TAGGED') return images.filter((image) => image.tags.length > 0);
  if (status === 'UNTAGGED') return images.filter((image) => image.tags.length === 0);
  return images;
}
