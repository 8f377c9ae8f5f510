/** How repositories are made that nobody made by hand: creation templates, and the expiry that they may set. */
import * as z from 'zod';
import { AwsError, type DeclaredResource } from '../../platform.ts';
import { readMutability } from '../repositories.ts';
import type { EcrStore } from '../store.ts';
import type { TagMutability } from '../tag-mutability.ts';

export interface CreationTemplate {
  prefix: string;
  mutability: TagMutability;
  /** Images without a tag go this many days after they came. */
  untaggedDays?: number;
}

/** Of lifecycle policies, the one rule that is carried out here. */
const lifecycleSchema = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        rulePriority: z.int(),
        description: z.string().optional(),
        selection: z.strictObject({
          tagStatus: z.literal('untagged'),
          countType: z.literal('sinceImagePushed'),
          countUnit: z.literal('days'),
          countNumber: z.int().positive(),
        }),
        action: z.strictObject({ type: z.literal('expire') }),
      }),
    )
    .length(1),
});

/** Throws for what AWS refuses, and for lifecycle policies that aren't carried out here. */
export function readTemplates(declared: DeclaredResource[]): CreationTemplate[] {
  return declared
    .filter(({ properties }) => properties?.AppliedFor?.includes('PULL_THROUGH_CACHE'))
    .map(({ properties, logicalId }) => {
      const { Prefix, ResourceTags, CustomRoleArn, LifecyclePolicy } = properties;
      if (ResourceTags?.length > 0 && !CustomRoleArn)
        throw new AwsError('ValidationException', `${logicalId}: resource tags require a customRoleArn`);
      const mutability = readMutability(
        properties.ImageTagMutability,
        properties.ImageTagMutabilityExclusionFilters,
      );
      if (LifecyclePolicy === undefined) return { prefix: Prefix, mutability };
      const policy = lifecycleSchema.safeParse(JSON.parse(LifecyclePolicy));
      if (!policy.success)
        throw new AwsError(
          'UnsupportedOperation',
          `${logicalId}: the embedded cloud supports only policies that expire untagged images by age`,
        );
      return { prefix: Prefix, mutability, untaggedDays: policy.data.rules[0]?.selection.countNumber ?? 0 };
    });
}

const dayMs = 24 * 3_600_000;

/** Carries out the templates' expiry; what an index refers to stays with it. */
export function expireUntagged(store: EcrStore, templates: CreationTemplate[], now: number): void {
  for (const { prefix, untaggedDays } of templates)
    for (const { name } of untaggedDays === undefined ? [] : store.repositories())
      if (name.startsWith(`${prefix}/`))
        for (const { digest, tags, pushedAt } of store.images(name))
          if (
            tags.length === 0 &&
            now - pushedAt > (untaggedDays ?? 0) * dayMs &&
            store.referrers(name, 'manifest', digest).length === 0
          )
            store.deleteImage(name, digest);
}
