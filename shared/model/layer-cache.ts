/** Tags of layer caches in the deployment's own ECR, all below the prefix that no image may have. */
import { reservedTagPrefix } from './image.ts';

/** The cache that the next build of the repository reads. */
export const cacheTag = `${reservedTagPrefix}cache`;

/** Every cache beside it, so that one which a later build has replaced can be told from images without a tag. */
const keptCachePrefix = `${reservedTagPrefix}cached-`;

export const keptCacheTag = (digest: string) => `${keptCachePrefix}${digest.slice('sha256:'.length, 39)}`;

/**
 * What expires in a repository: layer caches that were replaced, but for the newest two. Nothing else ever does: an
 * experiment, an image or a Dockerfile may name any other manifest by its digest, and signatures have no tags either.
 */
export const lifecyclePolicy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      description: 'Layer caches that later builds have replaced',
      selection: {
        tagStatus: 'tagged',
        tagPatternList: [`${keptCachePrefix}*`],
        countType: 'imageCountMoreThan',
        countNumber: 2,
      },
      action: { type: 'expire' },
    },
  ],
});
